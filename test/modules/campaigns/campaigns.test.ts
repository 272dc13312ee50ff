import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSession } from '../../../src/db/read-write-split.ts';
import {
  cancelCampaign,
  changeCampaign,
  launchCampaign,
  launchIn,
  retryCampaign,
  scheduleCampaign,
} from '../../../src/modules/campaigns/campaigns.ts';
import { finishCampaign } from '../../../src/modules/campaigns/ledger.ts';
import { CAMPAIGNS_SCHEDULED_MAX, LINK_DAYS } from '../../../src/modules/campaigns/limits.ts';
import { createTestDatabase, type TestDatabase, until, waitingForLock } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { addEmployees } from '../employees/people.ts';
import { addDraft, addLaunched, campaignOf } from './drafts.ts';

let on: TestDatabase;
let orgId: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  orgId = await addOrganisation(on.db);
});
afterAll(() => on.close());

const session = () => createSession(on.database, orgId);
const eventsOf = (campaignId: number) =>
  on.db
    .selectFrom('outbox')
    .where('payload', '=', JSON.stringify({ campaignId }) as never)
    .selectAll()
    .execute();

test('a draft can be changed; what people were sent cannot', async () => {
  const { id } = await addDraft(on.database, orgId);
  const changed = await changeCampaign(session(), { orgId }, id, { subject: 'Another' });
  expect(changed).toMatchObject({ status: 'draft', subject: 'Another', body: 'Dear {{name}} of {{organisation}}' });
  await launchCampaign(session(), { orgId }, id);
  await expect(changeCampaign(session(), { orgId }, id, { subject: 'Too late' })).rejects.toMatchObject({
    code: 'conflict',
  });
});

test('a launch and its word to the queue are one: both or neither', async () => {
  const { id } = await addDraft(on.database, orgId);
  const rolledBack = on.database.write(orgId, async (transaction) => {
    await launchIn(transaction, { orgId }, id);
    throw new Error('the power went');
  });
  await expect(rolledBack).rejects.toThrow('the power went');
  expect(await eventsOf(id)).toEqual([]);
  expect(await launchCampaign(session(), { orgId }, id)).toMatchObject({ status: 'sending' });
  expect(await eventsOf(id)).toMatchObject([{ org_id: orgId, topic: 'campaign.launched' }]);
});

test('an impatient second click, even at the same time, launches nothing twice', async () => {
  const { id } = await addDraft(on.database, orgId);
  const answers = await Promise.all([1, 2, 3].map(() => launchCampaign(session(), { orgId }, id)));
  expect(answers.map((campaign) => campaign.status)).toEqual(['sending', 'sending', 'sending']);
  expect(await eventsOf(id)).toHaveLength(1);
});

test('a launched campaign says until when its links are good', async () => {
  const { id } = await addDraft(on.database, orgId);
  await launchCampaign(session(), { orgId }, id);
  const row = await on.db
    .selectFrom('campaigns')
    .where('id', '=', id)
    .select(['launched_at', 'link_expires_at'])
    .executeTakeFirstOrThrow();
  const days = (Date.parse(row.link_expires_at as string) - Date.parse(row.launched_at as string)) / 86_400_000;
  expect(Math.round(days)).toBe(LINK_DAYS);
});

test('another organisation can neither see, change, launch nor cancel it', async () => {
  const { id } = await addDraft(on.database, orgId);
  const stranger = await addOrganisation(on.db, 'Stranger');
  for (const attempt of [
    () => changeCampaign(session(), { orgId: stranger }, id, { subject: 'Mine' }),
    () => launchCampaign(session(), { orgId: stranger }, id),
    () => scheduleCampaign(session(), { orgId: stranger }, id, { cron: '0 9 * * 1' }),
    () => cancelCampaign(session(), { orgId: stranger }, id),
  ])
    await expect(attempt()).rejects.toMatchObject({ code: 'not_found' });
  const row = await on.db.selectFrom('campaigns').where('id', '=', id).select(['status', 'subject']).executeTakeFirst();
  expect(row).toEqual({ status: 'draft', subject: 'Hello {{name}}' });
});

test('what is cancelled stays cancelled', async () => {
  const { id } = await addDraft(on.database, orgId);
  await launchCampaign(session(), { orgId }, id);
  for (let click = 0; click < 2; click++)
    expect(await cancelCampaign(session(), { orgId }, id)).toMatchObject({ status: 'cancelled' });
  await expect(launchCampaign(session(), { orgId }, id)).rejects.toMatchObject({ code: 'conflict' });
  await expect(scheduleCampaign(session(), { orgId }, id, { cron: '0 9 * * 1' })).rejects.toMatchObject({
    code: 'conflict',
  });
});

test.each([
  [{}, /either `at`/],
  [{ at: '2099-01-01T00:00:00Z', cron: '0 9 * * 1' }, /either `at`/],
  [{ at: 'tomorrow' }, /is not a valid date/],
  [{ at: '2020-01-01T00:00:00Z' }, /in the past/],
  [{ cron: 'every monday' }, /is not valid/],
  [{ cron: '* * * * * *' }, /is not valid/],
  [{ cron: '0 9 * * 1', timeZone: 'Mars/Olympus' }, /is not a known time zone/],
  [{ cron: '0 0 30 2 *' }, /never matches a time/],
])('the schedule %j is refused with a reason', async (schedule, reason) => {
  const { id } = await addDraft(on.database, orgId);
  await expect(scheduleCampaign(session(), { orgId }, id, schedule)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(reason),
  });
});

test('a repeating campaign is not launched by hand: only its slots make copies', async () => {
  const { id } = await addDraft(on.database, orgId);
  await scheduleCampaign(session(), { orgId }, id, { cron: '0 9 * * 1' });
  await expect(launchCampaign(session(), { orgId }, id)).rejects.toMatchObject({ code: 'conflict' });
});

test('an organisation schedules only so many', async () => {
  const busy = await addOrganisation(on.db, 'Busy');
  const drafts = [];
  for (let draft = 0; draft <= CAMPAIGNS_SCHEDULED_MAX; draft++) drafts.push((await addDraft(on.database, busy)).id);
  const at = '2099-01-01T09:00:00Z';
  for (const id of drafts.slice(0, -1))
    await scheduleCampaign(createSession(on.database, busy), { orgId: busy }, id, { at });
  const oneMore = scheduleCampaign(createSession(on.database, busy), { orgId: busy }, drafts.at(-1) as number, { at });
  await expect(oneMore).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('Cancel one') });
  const later = { at: '2099-01-01T10:00:00Z' };
  const moved = scheduleCampaign(createSession(on.database, busy), { orgId: busy }, drafts[0] as number, later);
  await expect(moved).resolves.toMatchObject({ launchAt: '2099-01-01T10:00:00Z' });
});

test('of two campaigns that are scheduled at once for one place left, one is', async () => {
  const busy = await addOrganisation(on.db, 'Busy at once');
  const rivals = [await addDraft(on.database, busy), await addDraft(on.database, busy)];
  await sql`
    insert into campaigns (org_id, name, subject, body, questions, status, launch_at)
    select ${busy}, 'Weekly', 'Hello', 'Hello', '[{"text":"How?","answer":"text"}]', 'scheduled', '2099-01-01'
    from generate_series(2, ${CAMPAIGNS_SCHEDULED_MAX}::int)`.execute(on.db);
  const at = '2099-01-01T09:00:00Z';
  const scheduled = await on.db.transaction().execute(async (transaction) => {
    await sql`select from campaigns where org_id = ${busy} for update`.execute(transaction);
    const both = rivals.map(({ id }) =>
      scheduleCampaign(createSession(on.database, busy), { orgId: busy }, id, { at }),
    );
    await until('both wait', async () => (await waitingForLock(on.db)) === 2);
    return { both: Promise.allSettled(both) };
  });
  expect((await scheduled.both).map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
});

describe('of failed recipients that are sent to again', () => {
  async function withOneFailed() {
    const own = await addOrganisation(on.db, 'Failed');
    const [employee] = await addEmployees(on.db, own, 1, 'failed.test');
    const id = await addLaunched(on.database, own);
    await sql`update campaigns set expanded_to = null where id = ${id}`.execute(on.db);
    await sql`
      insert into reach_outs (org_id, campaign_id, employee_id, status, cause, due_at)
      values (${own}, ${id}, ${employee}, 'failed', 'recipient', null)`.execute(on.db);
    const retry = () => retryCampaign(createSession(on.database, own), { orgId: own }, id, {});
    const finish = () => on.database.transact(own, (transaction) => finishCampaign(transaction, { orgId: own, id }));
    const status = async () => {
      const row = on.db.selectFrom('reach_outs').where('campaign_id', '=', id).select('status');
      return [(await campaignOf(on.db, own, id)).status, (await row.executeTakeFirstOrThrow()).status];
    };
    return { id, own, retry, finish, status };
  }

  test('none waits in a campaign that was cancelled meanwhile', async () => {
    const { id, own, retry, status } = await withOneFailed();
    const retried = await on.db.transaction().execute(async (transaction) => {
      await sql`update campaigns set status = 'cancelled' where id = ${id}`.execute(transaction);
      const retrying = retry();
      retrying.catch(() => undefined);
      await until('it waits', async () => (await waitingForLock(on.db)) === 1);
      return { retrying };
    });
    await expect(retried.retrying).rejects.toMatchObject({
      code: 'conflict',
      message: 'The campaign is cancelled: there is nothing to send again.',
    });
    expect(await status()).toEqual(['cancelled', 'failed']);
    expect(
      await on.db
        .selectFrom('outbox')
        .where('org_id', '=', own)
        .where('topic', '=', 'campaign.resumed')
        .selectAll()
        .execute(),
    ).toEqual([]);
  });

  test('none is left behind by the end of a campaign that was about to be noted', async () => {
    const { id, retry, finish, status } = await withOneFailed();
    const end = await on.db.transaction().execute(async (transaction) => {
      await sql`select from campaigns where id = ${id} for update`.execute(transaction);
      const retrying = retry();
      await until('the retry waits', async () => (await waitingForLock(on.db)) === 1);
      await sql`select from reach_outs where campaign_id = ${id} for update nowait`.execute(transaction); // of none that it holds
      const finishing = finish();
      await until('the end waits behind it', async () => (await waitingForLock(on.db)) === 2);
      return { retrying, finishing };
    });
    expect(await end.retrying).toMatchObject({ status: 'sending' });
    expect([await end.finishing, await status()]).toEqual([false, ['sending', 'waiting']]);
  });
});
