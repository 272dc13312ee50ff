import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';
import { MOOD_DAYS_MAX, TEAMS_MAX } from '../../limits.ts';

export interface Summary {
  readonly employees: number;
  readonly teams: number;
  readonly campaignsSending: number;
  readonly openConversations: number;
  readonly answersToday: number;
  readonly moodToday: number | null;
  readonly moodWeekAgo: number | null;
}

/** The key figures, in one round trip. Moods of fewer than `groupMin` answers stay hidden. */
export async function summary(db: Db, orgId: number, groupMin: number): Promise<Summary> {
  const { rows } = await sql<Summary>`
    with moods as (
      select day, sum(answers) as answers, sum(score_sum) / sum(answers) as mood from mood_days
      where org_id = ${orgId} and day in ((now() at time zone 'utc')::date, (now() at time zone 'utc')::date - 7)
      group by day
    )
    select
      counted.employees, counted.teams,
      (select count(*) from campaigns where org_id = ${orgId} and status = 'sending') as "campaignsSending",
      (select count(*) from conversations
        where org_id = ${orgId} and started_at > now() - interval '1 day' and finished_at is null) as "openConversations",
      coalesce((select answers from moods where day = (now() at time zone 'utc')::date), 0)::int as "answersToday",
      (select mood from moods where day = (now() at time zone 'utc')::date and answers >= ${groupMin})::float8 as "moodToday",
      (select mood from moods where day = (now() at time zone 'utc')::date - 7 and answers >= ${groupMin})::float8 as "moodWeekAgo"
    from (
      select coalesce(sum(employees), 0)::int as employees, count(*) as teams from teams where org_id = ${orgId}
    ) as counted`.execute(db);
  return rows[0] as Summary;
}

export interface MoodDay {
  readonly day: string;
  readonly mood: number;
  readonly answers: number;
}

/** Per day over all teams, and per team and day; groups of fewer than `groupMin` answers are left out. */
export async function moodByDay(db: Db, orgId: number, range: { from: string; to: string }, groupMin: number) {
  const { rows } = await sql<MoodDay & { team_id: number | null; team: string | null }>`
    select m.team_id, t.name as team, m.day::text as day, sum(m.answers)::int as answers,
      round((sum(m.score_sum) / sum(m.answers))::numeric, 3)::float8 as mood
    from mood_days m join teams t on t.org_id = m.org_id and t.id = m.team_id
    where m.org_id = ${orgId} and m.day between ${range.from}::date and ${range.to}::date
    group by grouping sets ((m.day), (m.team_id, t.name, m.day))
    having sum(m.answers) >= ${groupMin}
    order by t.name nulls first, m.team_id, m.day
    limit ${(TEAMS_MAX + 1) * MOOD_DAYS_MAX}`.execute(db);

  const organisation: MoodDay[] = [];
  const teams = new Map<number, { id: number; name: string; days: MoodDay[] }>();
  for (const { team_id: id, team, day, answers, mood } of rows) {
    if (id === null) {
      organisation.push({ day, mood, answers });
      continue;
    }
    const entry = teams.get(id) ?? { id, name: team ?? '', days: [] };
    teams.set(id, entry);
    entry.days.push({ day, mood, answers });
  }
  return { organisation, teams: [...teams.values()] };
}
