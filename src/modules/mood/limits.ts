/** The limits of the mood pages. */

export const MOOD_DAYS_MAX = 92; // per request
export const MOOD_DAYS_DEFAULT = 28;
export const MOOD_GROUP_MIN = 5; // a mood is shown only from this many scored answers on, so that no single answer can be identified

export const RELATIONS: readonly [string, boolean][] = [
  ['MOOD_DAYS_DEFAULT <= MOOD_DAYS_MAX', MOOD_DAYS_DEFAULT <= MOOD_DAYS_MAX],
];
