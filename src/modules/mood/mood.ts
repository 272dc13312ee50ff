import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Db } from '../../db/database.ts';

/**
 * Adds answers and their scores (-1 to 1 each, summed by team) to today's mood. The day is PostgreSQL's, in UTC. Call
 * it in the transaction that stores the answers, after it has taken its locks: rows are written in order of team.
 */
export async function addToMood(
  db: Db,
  orgId: number,
  teams: readonly { team_id: number; answers: number; score: number }[],
): Promise<void> {
  await sql`
    insert into mood_days (org_id, day, team_id, answers, score_sum)
    select ${orgId}::bigint, (now() at time zone 'utc')::date, given.team_id, given.answers, given.score
    from ${givenRows(teams, { team_id: 'bigint', answers: 'integer', score: 'real' })}
    on conflict (org_id, day, team_id) do update
      set answers = mood_days.answers + excluded.answers, score_sum = mood_days.score_sum + excluded.score_sum`.execute(
    db,
  );
}
