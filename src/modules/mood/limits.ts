/** The ceilings of the mood pages. */

export const MOOD_DAYS_MAX = 92; // at a time
export const MOOD_DAYS_DEFAULT = 28;
export const MOOD_GROUP_MIN = 5; // a mood is shown only where this many answers hide each single one

export const RELATIONS: readonly [string, boolean][] = [
  ['MOOD_DAYS_DEFAULT <= MOOD_DAYS_MAX', MOOD_DAYS_DEFAULT <= MOOD_DAYS_MAX],
];
