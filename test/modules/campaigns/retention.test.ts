import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RETENTION_STEP_ROWS } from '../../../src/limits.ts';
import { CAMPAIGN_DAYS } from '../../../src/modules/campaigns/limits.ts';
import { retention } from '../../../src/modules/campaigns/retention.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { addEmployees } from '../employees/people.ts';
import { addDraft } from './drafts.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

const OLD = `${CAMPAIGN_DAYS} days 1 minute`;
const forget = (signal = new AbortController().signal) => retention.campaigns.forget(on.database, signal);

test('campaigns of long ago are deleted with their ledger and counters, step by step, and younger ones stay', async () => {
  const orgId = await addOrganisation(on.db);
  await addSent(orgId, RETENTION_STEP_ROWS + 5, OLD);
  const other = await addOrganisation(on.db);
  await addSent(other, 2, OLD);
  const young = await addSent(other, 3, `${CAMPAIGN_DAYS - 1} days`);
  const { id: draft } = await addDraft(on.database, other);
  expect(await forget()).toBe(2);
  const left = (table: 'campaigns' | 'campaign_progress' | 'reach_outs') =>
    on.db.selectFrom(table).select('org_id').execute();
  expect(await on.db.selectFrom('campaigns').select('id').orderBy('id').execute()).toEqual([
    { id: young },
    { id: draft },
  ]);
  expect(await left('campaign_progress')).toHaveLength(2);
  expect(await left('reach_outs')).toHaveLength(3);
  expect(await forget()).toBe(0);
});

test('a campaign that repeated can go before its last copy, which then stands for itself', async () => {
  const orgId = await addOrganisation(on.db);
  const template = await addSent(orgId, 0, OLD);
  const copy = await addSent(orgId, 1, '1 day');
  await sql`update campaigns set parent_id = ${template} where id = ${copy}`.execute(on.db);
  expect(await forget()).toBe(1);
  const row = await on.db.selectFrom('campaigns').where('id', '=', copy).select('parent_id').executeTakeFirst();
  expect(row).toEqual({ parent_id: null });
});

test('a stop ends it after the step under way; the next run goes on', async () => {
  const orgId = await addOrganisation(on.db);
  const id = await addSent(orgId, RETENTION_STEP_ROWS + 5, OLD);
  const stop = new AbortController();
  const running = forget(stop.signal);
  stop.abort();
  expect(await running).toBe(0);
  const ledger = () => on.db.selectFrom('reach_outs').where('campaign_id', '=', id).select('id').execute();
  expect(await ledger()).toHaveLength(5);
  expect(await forget()).toBe(1);
  expect(await ledger()).toHaveLength(0);
});

/** Sent to so many people, that long ago. */
async function addSent(orgId: number, people: number, ago: string): Promise<number> {
  const { id } = await addDraft(on.database, orgId);
  const employees = people === 0 ? [] : await addEmployees(on.db, orgId, people, `${id}.test`);
  await sql`
    insert into reach_outs (org_id, campaign_id, employee_id, status, due_at)
    select ${orgId}::bigint, ${id}::bigint, unnest(${employees}::bigint[]), 'sent', null`.execute(on.db);
  await sql`update campaigns set status = 'done', finished_at = now() - ${ago}::interval where id = ${id}`.execute(
    on.db,
  );
  return id;
}
