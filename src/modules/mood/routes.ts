import { Type } from 'typebox';
import { dayOf, startOfDay } from '../../dates.ts';
import { AppError } from '../../errors.ts';
import type { App } from '../../http/app.ts';
import { closed, Day, Id } from '../../http/schemas.ts';
import { MOOD_DAYS_DEFAULT, MOOD_DAYS_MAX, MOOD_GROUP_MIN } from './limits.ts';
import { moodByDay } from './queries.ts';

const MoodDay = Type.Object({
  day: Type.String({ description: 'YYYY-MM-DD, UTC' }),
  mood: Type.Number({ description: 'the mean of the scored answers' }),
  answers: Type.Integer(),
  scored: Type.Integer({ description: 'of the answers: on the scale, or in a language that is scored' }),
});
const DAY_MS = 86_400_000;

export function routes(api: App): void {
  const tags = ['mood'];

  api.get(
    '/mood',
    {
      schema: {
        summary: 'Mood by day, and by team and day',
        description: `From -1 (bad) to 1 (good), by UTC days. An answer on the scale counts in every language, a text only in English: one in another language is kept without a score and left out of the mean. Days with fewer than ${MOOD_GROUP_MIN} scored answers are left out, so that no one's answer can be identified.`,
        tags,
        querystring: Type.Object({ from: Type.Optional(Day), to: Type.Optional(Day) }, closed),
        response: {
          200: Type.Object({
            from: Type.String(),
            to: Type.String(),
            groupMin: Type.Integer(),
            organisation: Type.Array(MoodDay),
            teams: Type.Array(Type.Object({ id: Id, name: Type.String(), days: Type.Array(MoodDay) })),
          }),
        },
      },
    },
    async ({ db, user, query }) => {
      const range = toRange(query);
      const moods = await db.read((reader) => moodByDay(reader, user.orgId, range, MOOD_GROUP_MIN));
      return { ...range, groupMin: MOOD_GROUP_MIN, ...moods };
    },
  );
}

function toRange(query: { from?: string | undefined; to?: string | undefined }): { from: string; to: string } {
  const to = startOfDay(query.to ?? dayOf(new Date())).getTime();
  const from = query.from === undefined ? to - (MOOD_DAYS_DEFAULT - 1) * DAY_MS : startOfDay(query.from).getTime();
  if (from > to) throw new AppError('invalid', '`from` must not be later than `to`.');
  if ((to - from) / DAY_MS >= MOOD_DAYS_MAX)
    throw new AppError('invalid', `The range is too long: ask for at most ${MOOD_DAYS_MAX} days at a time.`);
  return { from: dayOf(new Date(from)), to: dayOf(new Date(to)) };
}
