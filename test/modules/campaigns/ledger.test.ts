import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expandLedger } from '../../../src/modules/campaigns/expansion.ts';
import {
  claimReachOuts,
  extendLeases,
  finishCampaign,
  nextDueMs,
  type ReachOutResult,
  recordReachOuts,
  type SendingCampaign,
  sendingCampaign,
} from '../../../src/modules/campaigns/ledger.ts';
import { EXPAND_PAGE_ROWS } from '../../../src/modules/campaigns/limits.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { addEmployees } from '../employees/people.ts';
import { addLaunched, campaignOf, countedInLedger } from './drafts.ts';

let on: TestDatabase;
let orgId: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());
beforeEach(async () => {
  orgId = await addOrganisation(on.db);
});

async function launched(people: number): Promise<SendingCampaign> {
  await addEmployees(on.db, orgId, people, 'ledger.test');
  const id = await addLaunched(on.database, orgId);
  return (await sendingCampaign(on.db, orgId, id)) as SendingCampaign;
}
const expand = (campaign: SendingCampaign) => expandLedger(on.database, campaign);
const claim = async (campaign: SendingCampaign, limit: number) =>
  (await on.database.write(orgId, (db) => claimReachOuts(db, campaign, limit))).value;
const record = (
  campaign: SendingCampaign,
  results: (Pick<ReachOutResult, 'id' | 'claim'> & Partial<ReachOutResult>)[],
) =>
  on.database.transact(orgId, (db) =>
    recordReachOuts(
      db,
      campaign,
      results.map((result) => ({
        ...({ status: 'sent', error: null, cause: null, dueInMs: null } as const),
        ...{ untried: false, heldBack: false, possiblyTwice: false, isHardBounce: false },
        ...result,
      })),
    ),
  );
const leasesRunOut = () =>
  sql`update reach_outs set due_at = now() - interval '1 second' where status = 'sending'`.execute(on.db);

test('the ledger is written page by page, and two mailers at once write each page once', async () => {
  const campaign = await launched(EXPAND_PAGE_ROWS + 1);
  const [first, second] = await Promise.all([expand(campaign), expand(campaign)]);
  expect(first).toBe(second);
  expect(await countedInLedger(on.db, orgId, campaign.id)).toMatchObject({ recipients: EXPAND_PAGE_ROWS });
  expect(await expand({ ...campaign, expandedTo: first })).toBeNull();
  expect(await countedInLedger(on.db, orgId, campaign.id)).toMatchObject({ recipients: EXPAND_PAGE_ROWS + 1 });
  expect((await campaignOf(on.db, orgId, campaign.id)).progress.recipients).toBe(EXPAND_PAGE_ROWS + 1);
});

test('who has unsubscribed is not written to the ledger', async () => {
  const campaign = await launched(3);
  await sql`update employees set unsubscribed_at = now() where org_id = ${orgId} and email = 'person-2@ledger.test'`.execute(
    on.db,
  );
  await expand(campaign);
  const people = await on.db.selectFrom('employees').where('org_id', '=', orgId).select(['id', 'email']).execute();
  const emailOf = (id: number) => people.find((person) => person.id === id)?.email;
  expect((await claim(campaign, 10)).map(({ employeeId }) => emailOf(employeeId))).toEqual([
    'person-1@ledger.test',
    'person-3@ledger.test',
  ]);
});

test('two mailers that take rows at the same time never take the same one', async () => {
  const campaign = await launched(40);
  await expand(campaign);
  const { promise: bothHold, resolve: letGo } = Promise.withResolvers<void>();
  let holding = 0;
  const take = () =>
    on.database.write(orgId, async (db) => {
      const claimed = await claimReachOuts(db, campaign, 20);
      if (++holding === 2) letGo();
      await bothHold; // neither has committed when both have taken
      return claimed.map((row) => row.id);
    });
  const taken = (await Promise.all([take(), take()])).flatMap(({ value }) => value);
  expect(new Set(taken).size).toBe(40);
  expect(await claim(campaign, 20)).toEqual([]);
});

test('a row is taken again when its lease has run out, and it is known that it may have been sent', async () => {
  const campaign = await launched(1);
  await expand(campaign);
  const [taken] = await claim(campaign, 1);
  expect(taken).toMatchObject({ attempts: 1, interrupted: false });
  expect(await claim(campaign, 1)).toEqual([]);
  await leasesRunOut();
  const [again] = await claim(campaign, 1);
  expect(again).toMatchObject({ id: taken?.id, attempts: 2, interrupted: true });
});

test('what came of a mail is counted once, whoever says it and how often', async () => {
  const campaign = await launched(4);
  await expand(campaign);
  const [a, b, c, d] = (await claim(campaign, 4)).map((row) => row.id);
  const results = [
    { id: a as number, claim: 1, status: 'sent', possiblyTwice: true },
    { id: b as number, claim: 1, status: 'failed', error: '550', cause: 'recipient' },
    { id: c as number, claim: 1, status: 'skipped' },
  ] as const;
  expect(await record(campaign, [...results])).toBe(3);
  expect(await record(campaign, [...results])).toBe(0);
  const { progress } = await campaignOf(on.db, orgId, campaign.id);
  expect(progress).toMatchObject({ recipients: 4, sent: 1, failed: 1, skipped: 1, possiblyTwice: 1 });
  expect(await countedInLedger(on.db, orgId, campaign.id)).toEqual({ recipients: 4, sent: 1, failed: 1, skipped: 1 });
  await leasesRunOut();
  expect((await claim(campaign, 4)).map((row) => row.id)).toEqual([d]);
});

test('a mailer that was stopped past its lease does not overwrite the outcome of the one that came after it', async () => {
  const campaign = await launched(1);
  await expand(campaign);
  const [first] = await claim(campaign, 1);
  await leasesRunOut();
  const [second] = await claim(campaign, 1);
  const id = first?.id as number;
  const late = { id, claim: first?.claim as number, status: 'failed', cause: 'recipient', error: 'too late' } as const;
  expect(await record(campaign, [late])).toBe(0); // while the second is still sending
  expect(await record(campaign, [{ id, claim: second?.claim as number, status: 'sent' }])).toBe(1);
  expect(await record(campaign, [late])).toBe(0);
  expect((await campaignOf(on.db, orgId, campaign.id)).progress).toMatchObject({ sent: 1, failed: 0 });
});

test('a claim keeps its number apart from the tries, which an untried mail gets back', async () => {
  const campaign = await launched(1);
  await expand(campaign);
  const [first] = await claim(campaign, 1);
  const id = first?.id as number;
  await record(campaign, [{ id, claim: 1, status: 'waiting', dueInMs: 0, untried: true }]);
  expect(await claim(campaign, 1)).toMatchObject([{ attempts: 1, claim: 2 }]);
  expect(await record(campaign, [{ id, claim: 1, status: 'failed', cause: 'recipient' }])).toBe(0);
});

test('a lease is extended while the mail is under way, but not one that another mailer has', async () => {
  const campaign = await launched(2);
  await expand(campaign);
  const [a, b] = await claim(campaign, 2);
  await leasesRunOut();
  await sql`update reach_outs set claim = claim + 1 where id = ${b?.id}`.execute(on.db);
  await on.database.transact(orgId, (db) =>
    extendLeases(
      db,
      campaign,
      [a, b].flatMap((one) => one ?? []),
    ),
  );
  expect((await claim(campaign, 2)).map(({ id }) => id)).toEqual([b?.id]);
});

test('a mail that was not tried has its try back', async () => {
  const campaign = await launched(1);
  await expand(campaign);
  const [row] = await claim(campaign, 1);
  await record(campaign, [{ id: row?.id as number, claim: 1, status: 'waiting', dueInMs: 0, untried: true }]);
  expect(await claim(campaign, 1)).toMatchObject([{ attempts: 1, interrupted: false }]);
});

test('a campaign knows when its next row is due, and when none waits any more', async () => {
  const campaign = await launched(1);
  await expand(campaign);
  expect(await nextDueMs(on.db, campaign)).toBe(0);
  const [row] = await claim(campaign, 1);
  await record(campaign, [{ id: row?.id as number, claim: 1, status: 'waiting', dueInMs: 60_000 }]);
  const dueMs = await nextDueMs(on.db, campaign);
  expect(dueMs).toBeGreaterThan(50_000);
  expect(dueMs).toBeLessThanOrEqual(60_000);
  await sql`update reach_outs set due_at = null where org_id = ${orgId}`.execute(on.db);
  expect(await nextDueMs(on.db, campaign)).toBeNull();
});

test('a cancelled campaign has nothing to take, and does not become done', async () => {
  const campaign = await launched(2);
  await expand(campaign);
  await sql`update campaigns set status = 'cancelled' where org_id = ${orgId}`.execute(on.db);
  expect(await claim(campaign, 2)).toEqual([]);
  await finishCampaign(on.db, campaign);
  expect((await campaignOf(on.db, orgId, campaign.id)).status).toBe('cancelled');
  expect(await sendingCampaign(on.db, orgId, campaign.id)).toBeUndefined();
});

test('a mail that is tried again has its turn while many have not been sent once', async () => {
  const campaign = await launched(200);
  await expand(campaign);
  const [first] = await claim(campaign, 1);
  await record(campaign, [{ ...(first as { id: number; claim: number }), status: 'waiting', dueInMs: 0 }]);
  expect((await claim(campaign, 20)).map(({ id }) => id)).toContain(first?.id);
});

test('whoever has waited longest is not overtaken by all that came later', async () => {
  const campaign = await launched(200);
  await expand(campaign);
  const { rows } = await sql<{
    id: number;
  }>`select id from reach_outs where campaign_id = ${campaign.id} order by id`.execute(on.db);
  const oldest = rows.slice(0, 15).map(({ id }) => id);
  const claimed = await claim(campaign, 20);
  expect(claimed).toHaveLength(20);
  expect(claimed.map(({ id }) => id)).toEqual(expect.arrayContaining(oldest));
  expect(await claim(campaign, 1_000)).toHaveLength(180);
});
