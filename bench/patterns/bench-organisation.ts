import { sql } from 'kysely';
import type { Db } from '../../src/db/database.ts';
import { openBenchPool } from './bench-pool.ts';

const NAME = 'Pattern bench';
const COPY_NAME = 'Pattern bench, a copy';
/** Per statement: each ends long before the pool takes the server for dead. */
const CONVERSATIONS_AT_ONCE = 20_000;

/** An organisation with many conversations, set-based and deterministic. Made once; later calls give its id. */
export async function benchOrganisation(
  databaseUrl: string,
  size: { conversations: number; answersEach: number },
): Promise<number> {
  const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
  try {
    const known = await db.selectFrom('organisations').where('name', '=', NAME).select('id').executeTakeFirst();
    return known?.id ?? (await db.transaction().execute((transaction) => fill(transaction, size)));
  } finally {
    await close();
  }
}

/** A new organisation with the first `count` employees of `source`; the caller empties it again. */
export async function copyEmployees(db: Db, source: number, count: number): Promise<number> {
  const { orgId, teamId } = await organisationWithTeam(db, COPY_NAME);
  await sql`
    insert into employees (org_id, team_id, email, name)
    select ${orgId}::bigint, ${teamId}::bigint, email, name from employees where org_id = ${source} order by id limit ${count}`.execute(
    db,
  );
  await sql`analyze employees`.execute(db);
  return orgId;
}

/** What twins that were killed left behind: it would be in the way of whoever comes next, and more with every run. */
export async function removeCopies(databaseUrl: string): Promise<void> {
  const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
  const copies = db.selectFrom('organisations').where('name', '=', COPY_NAME).select('id');
  for (const table of ['campaigns', 'employees', 'teams'] as const) {
    await db.deleteFrom(table).where('org_id', 'in', copies).execute();
  }
  await db.deleteFrom('organisations').where('name', '=', COPY_NAME).execute();
  await close();
}

async function fill(
  db: Db,
  { conversations, answersEach }: { conversations: number; answersEach: number },
): Promise<number> {
  const { orgId, teamId } = await organisationWithTeam(db, NAME);
  const { id: campaignId } = await db
    .insertInto('campaigns')
    .values({ org_id: orgId, name: 'Bench', subject: 'Bench', body: 'Bench', questions: ['How was your week?'] })
    .returning('id')
    .executeTakeFirstOrThrow();
  await sql`
    insert into employees (org_id, team_id, email, name)
    select ${orgId}::bigint, ${teamId}::bigint, 'bench-' || n || '@example.test', 'Bench Person ' || n from generate_series(1, ${conversations}::int) n`.execute(
    db,
  );
  await sql`
    insert into reach_outs (org_id, campaign_id, employee_id, status, due_at, sent_at)
    select org_id, ${campaignId}::bigint, id, 'sent', null, now() from employees where org_id = ${orgId} order by id`.execute(
    db,
  );
  // A minute apart, so that a range of time is a number of conversations.
  await sql`
    insert into conversations (org_id, campaign_id, employee_id, team_id, reach_out_id, last_seq, step, answers, started_at)
    select org_id, campaign_id, employee_id, ${teamId}::bigint, id, ${answersEach * 2}::int, ${answersEach}::int, ${answersEach}::int,
      '2026-01-01'::timestamptz + row_number() over (order by id) * interval '1 minute'
    from reach_outs where org_id = ${orgId}`.execute(db);
  for (let from = 0; from < conversations; from += CONVERSATIONS_AT_ONCE)
    await fillMessages(db, orgId, answersEach, from);
  await sql`analyze`.execute(db);
  return orgId;
}

async function organisationWithTeam(db: Db, name: string): Promise<{ orgId: number; teamId: number }> {
  const organisation = await db.insertInto('organisations').values({ name }).returning('id').executeTakeFirstOrThrow();
  const team = await db
    .insertInto('teams')
    .values({ org_id: organisation.id, name: 'Bench' })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { orgId: organisation.id, teamId: team.id };
}

async function fillMessages(db: Db, orgId: number, answersEach: number, from: number): Promise<void> {
  await sql`
    insert into messages (org_id, conversation_id, seq, sender, body, sentiment, created_at)
    select c.org_id, c.id, n, case when n % 2 = 1 then 'bot' else 'employee' end,
      case when n % 2 = 1 then 'How was your week, all in all?' else 'It was a good week, number ' || c.id || ', and the team was great.' end,
      case when n % 2 = 1 then null else 0.5 end, c.started_at
    from (
      select * from conversations where org_id = ${orgId} order by id offset ${from} limit ${CONVERSATIONS_AT_ONCE}::int
    ) c cross join generate_series(1, ${answersEach * 2}::int) n`.execute(db);
}
