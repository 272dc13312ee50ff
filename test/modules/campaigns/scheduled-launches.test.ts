import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createSession, openDatabase } from '../../../src/db/read-write-split.ts';
import { createLog } from '../../../src/log.ts';
import { scheduleCampaign } from '../../../src/modules/campaigns/campaigns.ts';
import type { Schedule } from '../../../src/modules/campaigns/launch-times.ts';
import { launchDueCampaigns } from '../../../src/modules/campaigns/scheduled-launches.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { addDraft, campaignOf } from './drafts.ts';

const EVERY_HOUR = '0 * * * *';
let on: TestDatabase;
let orgId: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());
beforeEach(async () => {
  orgId = await addOrganisation(on.db);
});
afterEach(() => void vi.useRealTimers());

const launchDue = (database = on.database) => launchDueCampaigns(database, new AbortController().signal);

/** Scheduled, and then its time has come: `due` is an SQL time. */
async function addDue(schedule: Schedule, due: string): Promise<number> {
  const { id } = await addDraft(on.database, orgId);
  await scheduleCampaign(createSession(on.database, orgId), { orgId }, id, schedule);
  await sql`update campaigns set launch_at = ${sql.raw(due)} where id = ${id}`.execute(on.db);
  return id;
}
const copiesOf = (id: number) =>
  on.db
    .selectFrom('campaigns')
    .where('parent_id', '=', id)
    .select(['id', 'launch_at', 'status', 'name'])
    .orderBy('id')
    .execute();
const events = async () => (await on.db.selectFrom('outbox').where('org_id', '=', orgId).selectAll().execute()).length;

test('a campaign for a time is launched when it has come, not before, and once', async () => {
  const id = await addDue({ at: '2099-01-01T09:00:00Z' }, "now() + interval '1 minute'");
  expect(await launchDue()).toBe(0);
  await sql`update campaigns set launch_at = now() where id = ${id}`.execute(on.db);
  expect(await launchDue()).toBe(1);
  expect(await launchDue()).toBe(0);
  expect((await campaignOf(on.db, orgId, id)).status).toBe('sending');
  expect(await events()).toBe(1);
});

test('two mailers that look at the same time launch everything once', async () => {
  const second = openDatabase({
    config: { databaseUrl: on.url, databaseReplicaUrl: undefined },
    name: 'mailer',
    log: createLog('test', 'silent'),
    metrics: createMetrics('test'),
  });
  const ids = [];
  for (let campaign = 0; campaign < 20; campaign++)
    ids.push(await addDue(campaign % 2 === 0 ? { at: '2099-01-01T09:00:00Z' } : { cron: EVERY_HOUR }, 'now()'));
  const launched = await Promise.all([launchDue(), launchDue(second), launchDue(), launchDue(second)]);
  await second.close();
  expect(launched.reduce((sum, count) => sum + count)).toBe(20);
  expect(await events()).toBe(20);
  for (const id of ids.filter((_, index) => index % 2 === 1)) expect(await copiesOf(id)).toHaveLength(1);
});

test('each slot of a repeating campaign makes one copy that is sent, and the campaign moves on to the next', async () => {
  const id = await addDue({ cron: EVERY_HOUR }, "date_trunc('hour', now())");
  const slot = (await campaignOf(on.db, orgId, id)).launchAt as string;
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(slot) + 5 * 60_000 }); // the hour may end meanwhile
  expect(await launchDue()).toBe(1);
  const [copy, ...more] = await copiesOf(id);
  expect(more).toEqual([]);
  expect(copy).toMatchObject({ launch_at: slot, status: 'sending', name: `Weekly, ${slot.slice(0, 10)}` });

  const template = await campaignOf(on.db, orgId, id);
  expect(template.status).toBe('scheduled');
  expect(Date.parse(template.launchAt as string)).toBe(Date.parse(slot) + 3_600_000);
  await sql`update campaigns set launch_at = ${slot}::timestamptz + interval '1 second' where id = ${id}`.execute(
    on.db,
  );
  expect(await launchDue()).toBe(1);
  expect(await copiesOf(id)).toHaveLength(2);
});

test('a copy is named after the day that its people have, not after the day in UTC', async () => {
  const id = await addDue({ cron: '0 6 * * *', timeZone: 'Asia/Tokyo' }, "'2026-11-01T21:00:00Z'");
  expect(await launchDue()).toBe(1);
  expect(await copiesOf(id)).toMatchObject([{ name: 'Weekly, 2026-11-02' }]);
});

test('a copy of a campaign with the longest name still has its day in it, and no half of a character', async () => {
  const id = await addDue({ cron: '0 6 * * *', timeZone: 'Asia/Tokyo' }, "'2026-11-01T21:00:00Z'");
  await sql`update campaigns set name = ${'🦥'.repeat(120)} where id = ${id}`.execute(on.db);
  expect(await launchDue()).toBe(1);
  expect(await copiesOf(id)).toMatchObject([{ name: `${'🦥'.repeat(108)}, 2026-11-02` }]);
});

test('after a downtime the missed slots are made up for once, not once each', async () => {
  const id = await addDue({ cron: EVERY_HOUR }, "now() - interval '3 days'");
  expect(await launchDue()).toBe(1);
  expect(await copiesOf(id)).toHaveLength(1);
  expect(Date.parse((await campaignOf(on.db, orgId, id)).launchAt as string)).toBeGreaterThan(Date.now());
});

test("a process whose clock is behind the database's still launches a slot once and moves on", async () => {
  const id = await addDue({ cron: EVERY_HOUR }, "date_trunc('hour', now())");
  const slot = Date.parse((await campaignOf(on.db, orgId, id)).launchAt as string);
  vi.useFakeTimers({ toFake: ['Date'], now: slot - 5_000 });
  expect(await launchDue()).toBe(1);
  expect(await copiesOf(id)).toHaveLength(1);
  expect(Date.parse((await campaignOf(on.db, orgId, id)).launchAt as string)).toBe(slot + 3_600_000);
});

test('a cancelled campaign is not launched when its time comes', async () => {
  const id = await addDue({ cron: EVERY_HOUR }, 'now()');
  await sql`update campaigns set status = 'cancelled' where id = ${id}`.execute(on.db);
  expect(await launchDue()).toBe(0);
  expect(await copiesOf(id)).toEqual([]);
});
