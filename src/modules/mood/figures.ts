import { type RawBuilder, sql } from 'kysely';
import { Type } from 'typebox';
import { nullable } from '../../http/schemas.ts';
import type { Figures } from '../faces.ts';
import { MOOD_GROUP_MIN } from './limits.ts';

const Mood = nullable(Type.Number({ description: '-1 (bad) to 1 (good), of one day in UTC' }));

export const figures: Figures = {
  answersToday: {
    schema: Type.Integer({ description: 'since midnight UTC' }),
    select: (orgId) => sql`
      select coalesce(sum(answers), 0)::int from mood_days where org_id = ${orgId} and day = (now() at time zone 'utc')::date`,
  },
  moodToday: { schema: Mood, select: (orgId) => moodDaysAgo(orgId, 0) },
  moodWeekAgo: { schema: Mood, select: (orgId) => moodDaysAgo(orgId, 7) },
};

/** Null for a day with fewer than MOOD_GROUP_MIN scores, on which a single person's answer could be identified. */
function moodDaysAgo(orgId: number, days: number): RawBuilder<unknown> {
  return sql`
    select case when sum(scored) >= ${MOOD_GROUP_MIN}::int then sum(score_sum) / sum(scored) end from mood_days
    where org_id = ${orgId} and day = (now() at time zone 'utc')::date - ${days}::int`;
}
