import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Seeded, seed } from '../../../scripts/seed.ts';
import type { Db } from '../../../src/db/database.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';

const SCALE = 0.02;
const NOW = new Date('2026-11-21T15:30:00Z');

let database: TestDatabase;
let db: Db;
let seeded: Seeded;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
  db = database.db;
  seeded = await seed(database.ownerUrl, { scale: SCALE, now: NOW });
});
afterAll(() => database.close());

test('has thirteen weeks of campaigns that were sent, and a draft, in each organisation', async () => {
  const campaigns = await all(
    db,
    sql`select status, count(*)::int as campaigns, count(distinct org_id)::int as organisations from campaigns group by status order by status`,
  );
  expect(campaigns).toEqual([
    { status: 'done', campaigns: 130, organisations: 10 },
    { status: 'draft', campaigns: 10, organisations: 10 },
  ]);
  expect(await count(db, 'reach_outs')).toBe(seeded['reachOuts']);
});

test('has the progress counters that the ledger gives, and a row of them for each campaign', async () => {
  const differences = await all(
    db,
    sql`
      select p.* from campaign_progress p
      where (recipients, sent, failed, skipped) <> (
        select count(*)::int, count(*) filter (where status = 'sent')::int, count(*) filter (where status = 'failed')::int,
          count(*) filter (where status not in ('sent', 'failed'))::int
        from reach_outs r where r.org_id = p.org_id and r.campaign_id = p.campaign_id)`,
  );
  expect(differences).toEqual([]);
  expect(await count(db, 'campaign_progress')).toBe(seeded['campaigns']);
  expect(await count(db, 'campaigns')).toBe(seeded['campaigns']);
});

test('has campaigns that ended after their last mail, and none in the future', async () => {
  const wrong = await all(
    db,
    sql`
      select c.id from campaigns c
      where status = 'done' and (launched_at is null or finished_at <= launched_at or finished_at > ${NOW} or exists (
        select from reach_outs r where r.org_id = c.org_id and r.campaign_id = c.id
          and (r.sent_at > c.finished_at or r.sent_at <= c.launched_at)))`,
  );
  expect(wrong).toEqual([]);
});

async function count(db: Db, table: string): Promise<number> {
  const [row] = await all<{ count: string }>(db, sql`select count(*) from ${sql.table(table)}`);
  return Number(row?.count);
}

async function all<R = Record<string, unknown>>(db: Db, query: ReturnType<typeof sql>): Promise<R[]> {
  return (await query.execute(db)).rows as R[];
}
