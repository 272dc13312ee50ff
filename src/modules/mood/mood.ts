import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Db } from '../../db/schema.ts';

export type TeamDay = {
  readonly team_id: number;
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  readonly answers: number;
  /** Of these, how many have a score. */
  readonly scored: number;
  /** Their sum: -1 to 1 each. */
  readonly score: number;
};

/**
 * Adds answers and their scores to the mood of their days. Call it in the transaction that records the scores, after it
 * has taken its locks: rows are written in order of team and day.
 */
export async function addToMood(db: Db, orgId: number, more: readonly TeamDay[]): Promise<void> {
  const rows = more.toSorted((a, b) => (a.day < b.day ? -1 : 1)); // givenRows sorts by team, and keeps this order within
  await sql`
    insert into mood_days (org_id, team_id, day, answers, scored, score_sum)
    select ${orgId}::bigint, given.team_id, given.day::date, given.answers, given.scored, given.score
    from ${givenRows(rows, { team_id: 'bigint', day: 'text', answers: 'integer', scored: 'integer', score: 'double precision' })}
    on conflict (org_id, day, team_id) do update
      set answers = mood_days.answers + excluded.answers, scored = mood_days.scored + excluded.scored,
        score_sum = mood_days.score_sum + excluded.score_sum`.execute(db);
}
