import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { createSession } from '../../../src/db/read-write-split.ts';
import { JOBS_AT_ONCE } from '../../../src/limits.ts';
import { readLinkToken } from '../../../src/mail/personal-link.ts';
import { cancelCampaign, scheduleCampaign } from '../../../src/modules/campaigns/campaigns.ts';
import { MAILS_IN_FLIGHT_MAX } from '../../../src/modules/campaigns/limits.ts';
import { openQueue } from '../../../src/queue/queues.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { countMailsTo, mailsTo, readMail, tokenIn } from '../../mails.ts';
import { addOrganisation } from '../../organisation.ts';
import { createTcpGate } from '../../tcp-gate.ts';
import { emptyRedis, SECRET_KEY, startWorker, type TestWorker, testEnvironment, testRedisUrl } from '../../worker.ts';
import { addEmployees, addEmployeesNamed } from '../employees/people.ts';
import { addDraft, addLaunched, campaignOf, countedInLedger } from './drafts.ts';

// As the mailer does it, ten times as often.
vi.mock('../../../src/modules/campaigns/limits.ts', async (original) => {
  const limits = await original<typeof import('../../../src/modules/campaigns/limits.ts')>();
  return { ...limits, SWEEP_EVERY_MS: limits.SWEEP_EVERY_MS / 10 };
});

let on: TestDatabase;
let orgId: number;
const mailers: TestWorker[] = [];
const redis = new Redis(testRedisUrl());
const queue = openQueue('campaigns', redis);

beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(async () => {
  await on.close();
  await queue.close();
  redis.disconnect();
});
beforeEach(async () => {
  await emptyRedis();
  orgId = await addOrganisation(on.db, 'Jobs & Sons');
});
afterEach(async () => {
  await Promise.all(mailers.splice(0).map((mailer) => mailer.stop()));
  await sql`update campaigns set status = 'cancelled'`.execute(on.db); // what one test left is not the next one's
});

async function startMailers(count: number, change: Record<string, string> = {}): Promise<void> {
  for (let mailer = 0; mailer < count; mailer++) {
    const environment = { ...(await testEnvironment(on)), DATABASE_REPLICA_URL: '', ...change };
    mailers.push(await startWorker('mailer', startMailer, environment));
  }
}
const campaign = (id: number, org = orgId) => campaignOf(on.db, org, id);
const done = (id: number, org = orgId) =>
  until(`campaign ${id} is done`, async () => (await campaign(id, org)).status === 'done');
const sentOf = async (id: number, org = orgId) => (await campaign(id, org)).progress.sent;

/** Time passes: what waits for its next try is due, and the job that waits for it wakes up. */
async function nextTry(): Promise<void> {
  // In this order: a turn that has not ended yet would find the mail due, and there would be no job to wake.
  const [job] = await until('the job waits', () =>
    queue.getDelayed().then((jobs) => (jobs.length > 0 ? jobs : undefined)),
  );
  await sql`update reach_outs set due_at = now() where status = 'waiting' and due_at is not null`.execute(on.db);
  await job?.promote();
}

test('everybody gets one mail, with a link of their own, and the counters are the ledger', async () => {
  await addEmployees(on.db, orgId, 45, 'all.jobs.test');
  const id = await addLaunched(on.database, orgId);
  await startMailers(1);
  await done(id);

  const mails = await mailsTo('@all.jobs.test');
  expect(new Set(mails.map((mail) => mail.to)).size).toBe(45);
  expect(mails).toHaveLength(45);
  const ledger = await on.db
    .selectFrom('reach_outs as r')
    .innerJoin('employees as e', 'e.id', 'r.employee_id')
    .where('r.campaign_id', '=', id)
    .select(['r.id', 'e.email', 'e.name'])
    .execute();
  for (const mail of mails.slice(0, 5)) {
    const person = ledger.find((row) => row.email === mail.to);
    const { text, subject } = await readMail(mail.id);
    expect(subject).toBe(`Hello ${person?.name}`);
    expect(text).toContain(`Dear ${person?.name} of Jobs & Sons`);
    expect(readLinkToken(SECRET_KEY, 'unsubscribe', tokenIn(text, 'u'))).toEqual({ orgId, id: person?.id });
  }
  const { progress } = await campaign(id);
  expect(progress).toMatchObject({ recipients: 45, sent: 45, failed: 0, skipped: 0, possiblyTwice: 0 });
  expect(progress).toMatchObject((await countedInLedger(on.db, orgId, id)) as object);
});

test('who unsubscribes while the mails go out is skipped', async () => {
  await addEmployees(on.db, orgId, 120, 'left.jobs.test');
  const id = await addLaunched(on.database, orgId);
  await startMailers(1, { MAIL_PER_SECOND: '40' });
  await until('it has begun', async () => (await campaign(id)).progress.sent > 0);
  // Whose turn is last: three quarters are claimed from the beginning, a quarter from the end.
  await sql`update employees set unsubscribed_at = now() where org_id = ${orgId} and email = 'person-90@left.jobs.test'`.execute(
    on.db,
  );
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ recipients: 120, sent: 119, skipped: 1 });
  expect(await countMailsTo('person-90@left.jobs.test')).toBe(0);
});

test("an address that bounces has failed, with the server's reason, and stops nobody else", async () => {
  await addEmployees(on.db, orgId, 3, 'bounce.jobs.test');
  await addEmployeesNamed(on.db, orgId, [{ name: 'Gone', email: 'bounce-gone@bounce.jobs.test' }]);
  const id = await addLaunched(on.database, orgId);
  await startMailers(1);
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ recipients: 4, sent: 3, failed: 1 });
  const failed = await on.db
    .selectFrom('reach_outs')
    .where('campaign_id', '=', id)
    .where('status', '=', 'failed')
    .selectAll()
    .execute();
  expect(failed).toMatchObject([
    { attempts: 1, due_at: null, error: expect.stringContaining('5.1.1 no such mailbox') },
  ]);
});

test('a busy mailbox is tried again later, and the campaign waits for it', async () => {
  await addEmployeesNamed(on.db, orgId, [{ name: 'Busy', email: 'defer-busy@defer.jobs.test' }]);
  const id = await addLaunched(on.database, orgId);
  await startMailers(1);
  const row = await until('it was tried', () =>
    on.db
      .selectFrom('reach_outs')
      .where('campaign_id', '=', id)
      .where('status', '=', 'waiting')
      .where('attempts', '=', 1)
      .selectAll()
      .executeTakeFirst(),
  );
  expect(Date.parse(row.due_at as string)).toBeGreaterThan(Date.now() + 20_000);
  expect((await campaign(id)).status).toBe('sending');
  await nextTry();
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ sent: 1, possiblyTwice: 0 });
  expect(await countMailsTo('defer-busy@defer.jobs.test')).toBe(1);
});

test('while the mail server is away nobody counts as tried, and it goes on when the server is back', async () => {
  const smtp = new URL(inject('smtpUrl'));
  const gate = await createTcpGate(smtp, await freePort());
  await gate.shut();
  await addEmployees(on.db, orgId, 30, 'away.jobs.test');
  const id = await addLaunched(on.database, orgId);
  await startMailers(1, { SMTP_URL: `smtp://127.0.0.1:${gate.port}` });
  await until('it was tried and put back', async () => {
    const rows = await on.db
      .selectFrom('reach_outs')
      .where('campaign_id', '=', id)
      .where('error', 'is not', null)
      .selectAll()
      .execute();
    return rows.length > 0 && rows.every((row) => row.status === 'waiting' && row.attempts === 0);
  });
  expect((await campaign(id)).progress).toMatchObject({ recipients: 30, sent: 0, failed: 0 });
  await gate.open();
  await nextTry();
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ sent: 30, failed: 0, possiblyTwice: 0 });
  expect(await mailsTo('@away.jobs.test')).toHaveLength(30);
  await mailers[0]?.stop();
  await gate.shut();
});

test('Redis forgets everything in the middle, and still everybody gets one mail', async () => {
  await addEmployees(on.db, orgId, 300, 'flush.jobs.test');
  const id = await addLaunched(on.database, orgId);
  await startMailers(1, { MAIL_PER_SECOND: '200' });
  await until('it is in the middle', async () => (await sentOf(id)) >= 40);
  await emptyRedis();
  expect(await sentOf(id)).toBeLessThan(300);
  await done(id);
  const mails = await mailsTo('@flush.jobs.test');
  expect(mails).toHaveLength(300);
  expect(new Set(mails.map((mail) => mail.to)).size).toBe(300);
  expect((await campaign(id)).progress).toMatchObject({ sent: 300, possiblyTwice: 0 });
});

test('a turn that fails is not the end of a campaign', async () => {
  await addEmployees(on.db, orgId, 5, 'failing.jobs.test');
  const id = await addLaunched(on.database, orgId);
  await sql`alter table reach_outs rename to reach_outs_away`.execute(on.db);
  try {
    await startMailers(1);
    await until('a turn was tried and failed', async () => {
      const { rows } = await sql<{ count: number }>`select count(*) from outbox where org_id = ${orgId}`.execute(on.db);
      return rows[0]?.count === 0 && (await queue.getJobCountByTypes('waiting', 'active', 'delayed')) === 0;
    });
    expect((await campaign(id)).status).toBe('sending');
  } finally {
    await sql`alter table reach_outs_away rename to reach_outs`.execute(on.db);
  }
  await done(id);
  expect(await mailsTo('@failing.jobs.test')).toHaveLength(5);
});

test('cancelling stops it: only mails that were being handed over still go out', async () => {
  await addEmployees(on.db, orgId, 400, 'cancel.jobs.test');
  const id = await addLaunched(on.database, orgId);
  await startMailers(1, { MAIL_PER_SECOND: '100' });
  await until('it has begun', async () => (await sentOf(id)) > 0);
  await cancelCampaign(createSession(on.database, orgId), { orgId }, id);
  const sent = await sentOf(id);
  await until(
    'nothing is in the queue',
    async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed')) === 0,
  );
  expect(await sentOf(id)).toBeLessThanOrEqual(sent + MAILS_IN_FLIGHT_MAX);
  expect(await countMailsTo('@cancel.jobs.test')).toBe(await sentOf(id));
  expect((await campaign(id)).status).toBe('cancelled');
});

test('two mailers share a slot that came: one copy, one mail each', async () => {
  await addEmployees(on.db, orgId, 50, 'slot.jobs.test');
  const { id } = await addDraft(on.database, orgId);
  await scheduleCampaign(createSession(on.database, orgId), { orgId }, id, { cron: '0 9 * * 1' });
  await sql`update campaigns set launch_at = now() where id = ${id}`.execute(on.db);
  await startMailers(2);
  const copy = await until('the copy is done', () =>
    on.db
      .selectFrom('campaigns')
      .where('parent_id', '=', id)
      .where('status', '=', 'done')
      .selectAll()
      .executeTakeFirst(),
  );
  expect((await campaign(copy.id)).progress).toMatchObject({ recipients: 50, sent: 50, possiblyTwice: 0 });
  expect(await mailsTo('@slot.jobs.test')).toHaveLength(50);
  expect(await on.db.selectFrom('campaigns').where('parent_id', '=', id).selectAll().execute()).toHaveLength(1);
});

test('a mail whose mailer died with it in hand goes out, and is counted as possibly there twice', async () => {
  await addEmployees(on.db, orgId, 3, 'orphan.jobs.test');
  const id = await addLaunched(on.database, orgId);
  await sql`
    insert into reach_outs (org_id, campaign_id, employee_id, status, attempts, due_at)
    select org_id, ${id}::bigint, id, 'sending', 1, now() from employees where email = 'person-2@orphan.jobs.test'`.execute(
    on.db,
  );
  await startMailers(1);
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ sent: 3, possiblyTwice: 1 });
  expect(await mailsTo('@orphan.jobs.test')).toHaveLength(3);
});

test("one organisation's ten mails do not wait until others' thousands are through", async () => {
  const large: { org: number; id: number }[] = [];
  for (let other = 0; other < JOBS_AT_ONCE; other++) {
    const org = await addOrganisation(on.db, 'Large');
    await addEmployees(on.db, org, 1_000, `large-${other}.jobs.test`);
    large.push({ org, id: await addLaunched(on.database, org) });
  }
  await startMailers(1, { MAIL_PER_SECOND: '1000' });
  await until('all hands are busy with the large ones', async () => {
    const sent = await Promise.all(large.map(({ org, id }) => sentOf(id, org)));
    return sent.every((count) => count > 0);
  });
  await addEmployees(on.db, orgId, 10, 'small.jobs.test');
  const id = await addLaunched(on.database, orgId);
  await done(id);
  for (const { org, id } of large) expect(await sentOf(id, org)).toBeLessThan(1_000);
});
