import { sql } from 'kysely';
import type { Db } from '../../src/db/database.ts';

/** What the product keeps up to date row by row, here counted once: teams, campaign_progress, mood_days, when sending ended. */
export async function writeTotals(db: Db): Promise<void> {
  // Its triggers may have slept: see settle().
  await sql`
    update teams set employees = counted.employees, reachable = counted.reachable
    from (
      select org_id, team_id, count(*) as employees, count(*) filter (where unsubscribed_at is null) as reachable
      from employees group by org_id, team_id
    ) as counted
    where teams.org_id = counted.org_id and teams.id = counted.team_id`.execute(db);
  await sql`
    insert into campaign_progress (org_id, campaign_id, recipients, sent, failed, opened, finished, answers)
    select c.org_id, c.id, coalesce(recipients, 0), coalesce(sent, 0), coalesce(failed, 0), coalesce(opened, 0),
      coalesce(finished, 0), coalesce(answers, 0)
    from campaigns c
    left join (
      select org_id, campaign_id, count(*) as recipients, count(*) filter (where status = 'sent') as sent,
        count(*) filter (where status = 'failed') as failed
      from reach_outs group by org_id, campaign_id
    ) as r on r.org_id = c.org_id and r.campaign_id = c.id
    left join (
      select org_id, campaign_id, count(*) as opened, count(finished_at) as finished, sum(answers) as answers
      from conversations group by org_id, campaign_id
    ) as v on v.org_id = c.org_id and v.campaign_id = c.id
    order by c.org_id, c.id`.execute(db);
  await sql`
    update campaigns set finished_at = coalesce(
      (select max(sent_at) from reach_outs where org_id = campaigns.org_id and campaign_id = campaigns.id),
      launched_at) + interval '1 second'
    where status = 'done'`.execute(db);
  await sql`
    insert into mood_days (org_id, day, team_id, answers, score_sum)
    select m.org_id, (m.created_at at time zone 'UTC')::date as day, v.team_id, count(*), sum(m.sentiment::double precision)
    from messages m
    join conversations v on v.org_id = m.org_id and v.id = m.conversation_id
    where m.sender = 'employee'
    group by m.org_id, day, v.team_id
    order by m.org_id, day, v.team_id`.execute(db);
}

const TABLES_WITH_IDS = ['organisations', 'users', 'teams', 'employees', 'campaigns', 'reach_outs', 'conversations'];

/** The seed gives out ids itself; the product's next row comes after them. */
export async function continueSequences(db: Db): Promise<void> {
  for (const table of TABLES_WITH_IDS) {
    await sql`
      select setval(pg_get_serial_sequence(${table}, 'id'), max(id)) from ${sql.table(table)} having max(id) is not null`.execute(
      db,
    );
  }
}
