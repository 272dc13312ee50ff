import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { TEAMS_MAX } from '../employees/limits.ts';
import { MOOD_DAYS_MAX } from './limits.ts';

export interface MoodDay {
  readonly day: string;
  readonly mood: number;
  readonly answers: number;
  /** The mood is the mean of these. */
  readonly scored: number;
}

/** Per day over all teams, and per team and day; groups of fewer than `groupMin` scores are left out. */
export async function moodByDay(db: Db, orgId: number, range: { from: string; to: string }, groupMin: number) {
  const { rows } = await sql<MoodDay & { team_id: number | null; team: string | null }>`
    select m.team_id, t.name as team, m.day::text as day, sum(m.answers)::int as answers,
      sum(m.scored)::int as scored, round((sum(m.score_sum) / sum(m.scored))::numeric, 3)::float8 as mood
    from mood_days m join teams t on t.org_id = m.org_id and t.id = m.team_id
    where m.org_id = ${orgId} and m.day between ${range.from}::date and ${range.to}::date
    group by grouping sets ((m.day), (m.team_id, t.name, m.day))
    having sum(m.scored) >= ${groupMin}
    order by t.name nulls first, m.team_id, m.day
    limit ${(TEAMS_MAX + 1) * MOOD_DAYS_MAX}`.execute(db);

  const organisation: MoodDay[] = [];
  const teams = new Map<number, { id: number; name: string; days: MoodDay[] }>();
  for (const { team_id: id, team, ...day } of rows) {
    if (id === null) {
      organisation.push(day);
      continue;
    }
    const entry = teams.get(id) ?? { id, name: team ?? '', days: [] };
    teams.set(id, entry);
    entry.days.push(day);
  }
  return { organisation, teams: [...teams.values()] };
}
