import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createSession } from '../../../src/db/read-write-split.ts';
import { SMTP_CONNECTIONS_MAX } from '../../../src/limits.ts';
import {
  cancelCampaign,
  pauseCampaign,
  resumeCampaign,
  retryCampaign,
} from '../../../src/modules/campaigns/campaigns.ts';
import { HELD_STOP_MS } from '../../../src/modules/campaigns/limits.ts';
import { failuresByCause } from '../../../src/modules/campaigns/recipient-queries.ts';
import { openQueue } from '../../../src/queue/queues.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { type ScriptedSmtp, startScriptedSmtp } from '../../smtp.ts';
import { emptyRedis, startWorker, type TestWorker, testEnvironment, testRedisUrl } from '../../worker.ts';
import { addEmployees, addEmployeesNamed } from '../employees/people.ts';
import { addLaunched, campaignOf } from './drafts.ts';

// As the mailer does it, five or ten times as often.
vi.mock('../../../src/limits.ts', async (original) => {
  const limits = await original<typeof import('../../../src/limits.ts')>();
  return { ...limits, MAIL_HELD_WAIT: { ...limits.MAIL_HELD_WAIT, min: limits.MAIL_HELD_WAIT.min / 10 } };
});

vi.mock('../../../src/modules/campaigns/limits.ts', async (original) => {
  const limits = await original<typeof import('../../../src/modules/campaigns/limits.ts')>();
  return {
    ...limits,
    HELD_STEP_MS: limits.HELD_STEP_MS / 10,
    SWEEP_EVERY_MS: limits.SWEEP_EVERY_MS / 10,
    MAIL_LEASE_EXTEND_EVERY_MS: limits.MAIL_LEASE_EXTEND_EVERY_MS / 5,
  };
});

let on: TestDatabase;
let orgId: number;
let smtp: ScriptedSmtp;
let mailers: TestWorker[] = [];
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
  orgId = await addOrganisation(on.db);
  smtp = await startScriptedSmtp();
});
afterEach(async () => {
  await Promise.all(mailers.map((mailer) => mailer.stop()));
  mailers = [];
  await smtp.close();
  await sql`update campaigns set status = 'cancelled'`.execute(on.db);
});

async function startOne(change: Record<string, string> = {}): Promise<void> {
  const environment = { ...(await testEnvironment(on)), DATABASE_REPLICA_URL: '', SMTP_URL: smtp.url, ...change };
  mailers.push(await startWorker('mailer', startMailer, environment));
}

async function launched(people: number): Promise<number> {
  await addEmployees(on.db, orgId, people, 'held.test');
  return addLaunched(on.database, orgId);
}

const campaign = (id: number) => campaignOf(on.db, orgId, id);
const session = () => createSession(on.database, orgId);
const done = (id: number) => until('the campaign is done', async () => (await campaign(id)).status === 'done');
const held = (id: number) => until('the campaign is held', async () => (await campaign(id)).pausedBecause ?? undefined);

/** Everybody got one mail, by the server's own record. */
function expectOneEach(people: number): void {
  const taken = smtp.received.filter(({ reply }) => reply?.startsWith('250'));
  expect(taken).toHaveLength(people);
  expect(new Set(taken.map(({ to }) => to)).size).toBe(people);
}

test.each([
  ['mailFrom', '550 5.7.60 client is not allowed to send as this sender', 'sender'],
  ['rcptTo', '554 5.7.1 Relay access denied', 'sender'],
  ['end', '451 4.3.0 queue file write error', 'server'],
  ['greet', '554 no service', 'server'],
] as const)(
  '%s is answered %s: nobody has failed, the page says why, and it goes on by itself',
  async (command, reply, about) => {
    smtp.script = { [command]: () => reply };
    const id = await launched(30);
    await startOne();
    expect(await held(id)).toMatchObject({ about, reason: expect.stringContaining(reply.slice(4, 20)) });
    expect(await campaign(id)).toMatchObject({ status: 'sending', progress: { sent: 0, failed: 0 } });
    const knocks = Math.max(smtp.connections, smtp.transactions);
    expect(knocks).toBeLessThanOrEqual(SMTP_CONNECTIONS_MAX * 2);

    smtp.script = {};
    await done(id);
    expect(await campaign(id)).toMatchObject({
      pausedBecause: null,
      progress: { sent: 30, failed: 0, possiblyTwice: 0 },
    });
    expectOneEach(30);
  },
);

test('while the provider throttles us nobody uses up a try, and the rate adapts to it', async () => {
  // 25 mails a second, counted by the second as providers do.
  let second = 0;
  let inSecond = 0;
  let refusals = 0;
  smtp.script = {
    data: () => {
      const now = Math.floor(performance.now() / 1_000);
      if (now !== second) [second, inSecond] = [now, 0];
      if (++inSecond <= 25) return undefined;
      refusals++;
      return '454 Throttling failure: Maximum sending rate exceeded.';
    },
  };
  const id = await launched(200);
  await startOne();
  await until('the campaign is done', async () => (await campaign(id)).status === 'done');
  expect((await campaign(id)).progress).toMatchObject({ sent: 200, failed: 0 });
  expectOneEach(200);
  expect(refusals).toBeLessThanOrEqual(30);
});

test('one recipient whom the server blames on us does not hold up the others for long', async () => {
  smtp.script = {
    rcptTo: (address) => (address.startsWith('person-3@') ? '550 5.7.1 sender not allowed for this list' : undefined),
  };
  const id = await launched(40);
  await startOne();
  await until('all others have their mail', async () => (await campaign(id)).progress.sent === 39);
  expect(await campaign(id)).toMatchObject({ status: 'sending', progress: { failed: 0 } });
  smtp.script = {};
  await done(id);
  expectOneEach(40);
});

test('after days of refusals only a person resumes it, and the reason stays', async () => {
  smtp.script = { mailFrom: () => '550 5.7.1 account suspended' };
  const id = await launched(2);
  await startOne();
  await held(id);
  await sql`update campaigns set paused_at = now() - make_interval(secs => ${HELD_STOP_MS / 1_000 + 1}) where id = ${id}`.execute(
    on.db,
  );
  await until('it is paused', async () => (await campaign(id)).status === 'paused');
  expect((await campaign(id)).pausedBecause).toMatchObject({ about: 'sender', nextTryAt: null });
  smtp.script = {};
  await resumeCampaign(session(), { orgId }, id);
  await done(id);
  expectOneEach(2);
});

test('pausing takes effect within a second or so, and resuming sends the rest', async () => {
  const id = await launched(300);
  await startOne({ MAIL_PER_SECOND: '50' });
  await until('it has begun', () => smtp.received.length > 20);
  await pauseCampaign(session(), { orgId }, id);
  const atPause = smtp.received.length;
  await until('its job is over', async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed')) === 0);
  expect(smtp.received.length - atPause).toBeLessThanOrEqual(100); // of a second, and of another one on a busy machine
  expect(await campaign(id)).toMatchObject({ status: 'paused', pausedBecause: { about: 'person', nextTryAt: null } });
  const resting = smtp.received.length;
  await resumeCampaign(session(), { orgId }, id);
  await until('it goes on', () => smtp.received.length > resting);
  expect((await campaign(id)).pausedBecause).toBeNull();
  await done(id);
  expectOneEach(300);
});

test('after a cancellation at most the mails of one second go out, however slow the rate is', async () => {
  const id = await launched(100);
  await startOne({ MAIL_PER_SECOND: '5' });
  await until('it has begun', () => smtp.received.length > 3);
  await cancelCampaign(session(), { orgId }, id);
  const atCancel = smtp.received.length;
  await until('its job is over', async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed')) === 0);
  expect(smtp.received.length - atCancel).toBeLessThanOrEqual(10); // of a second, and of another one on a busy machine
  expect((await campaign(id)).progress.sent).toBe(smtp.received.length);
});

test('failed recipients can be sent to again: one, by cause, and all', async () => {
  await addEmployeesNamed(on.db, orgId, [
    { name: 'A', email: 'a@gone.test' },
    { name: 'B', email: 'b@gone.test' },
    { name: 'C', email: 'c@spam.test' },
    { name: 'D', email: 'd@spam.test' },
    { name: 'E', email: 'e@fine.test' },
  ]);
  smtp.script = {
    rcptTo: (address) => (address.includes('@gone') ? '550 5.1.1 no such user' : undefined),
    end: ({ to }) => (to.includes('@spam') ? '554 5.6.0 we take no such mails' : undefined),
  };
  const id = await addLaunched(on.database, orgId);
  await startOne();
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ sent: 1, failed: 4 });
  expect(await failuresByCause(on.db, orgId, id)).toMatchObject([
    { cause: 'mail', count: 2 },
    { cause: 'recipient', count: 2 },
  ]);
  smtp.script = {};

  const one = await on.db
    .selectFrom('reach_outs')
    .where('campaign_id', '=', id)
    .where('cause', '=', 'mail')
    .select('id')
    .orderBy('id')
    .executeTakeFirstOrThrow();
  await retryCampaign(session(), { orgId }, id, { reachOutId: one.id });
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ sent: 2, failed: 3 });
  await sql`update suppressions set lifted_at = now(), lifted_by = 'Ada' where org_id = ${orgId}`.execute(on.db);
  await retryCampaign(session(), { orgId }, id, { cause: 'recipient' });
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ sent: 4, failed: 1 });
  await retryCampaign(session(), { orgId }, id, {});
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ sent: 5, failed: 0 });
  expectOneEach(5);
  await expect(retryCampaign(session(), { orgId }, id, {})).rejects.toMatchObject({ code: 'conflict' });
});

test('a server that takes long to answer is not sent to again, and its mail keeps its lease', async () => {
  const answers: (() => void)[] = [];
  smtp.script = { end: () => new Promise((resolve) => answers.push(() => resolve(undefined))) };
  const id = await launched(3);
  await startOne();
  await until('all are waiting for their answer', () => answers.length === 3);
  const lease = async () =>
    on.db
      .selectFrom('reach_outs')
      .where('campaign_id', '=', id)
      .select((q) => q.fn.min<string>('due_at').as('until'))
      .executeTakeFirstOrThrow();
  const before = await lease();
  await until('the leases are extended', async () => (await lease()).until > before.until);
  for (const answer of answers) answer();
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ sent: 3, possiblyTwice: 0 });
  expectOneEach(3);
});

test('a mail under way keeps its lease also while many others come and go', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  smtp.script = { end: ({ to }) => (to.startsWith('person-1@') ? promise : undefined) };
  const id = await launched(150);
  await startOne({ MAIL_PER_SECOND: '12' });
  await until('it is under way', () => smtp.received.some(({ to }) => to.startsWith('person-1@')));
  const lease = () =>
    on.db
      .selectFrom('reach_outs')
      .innerJoin('employees', 'employees.id', 'reach_outs.employee_id')
      .where('employees.email', '=', 'person-1@held.test')
      .where('campaign_id', '=', id)
      .select('due_at')
      .executeTakeFirstOrThrow();
  const before = await lease();
  await until('its lease is extended', async () => (await lease()).due_at !== before.due_at, 9_000);
  expect(smtp.received.length).toBeLessThan(150);
  resolve(undefined);
});

test('one slow answer holds up no other mail of the campaign', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  smtp.script = { end: ({ to }) => (to.startsWith('person-1@') ? promise : undefined) };
  const id = await launched(260); // more than one slice
  await startOne();
  await until('all others are recorded', async () => (await campaign(id)).progress.sent === 259);
  resolve(undefined);
  await done(id);
  expectOneEach(260);
});

test('a stop hands nothing more over, and a mail without an answer is not sent again by the next process', async () => {
  smtp.script = { end: () => new Promise(() => undefined) };
  const id = await launched(20);
  await startOne();
  await until('the server has some', () => smtp.received.length === SMTP_CONNECTIONS_MAX);
  expect(await mailers.pop()?.stop()).toBe(true);
  expect((await campaign(id)).progress).toMatchObject({ sent: 0, failed: SMTP_CONNECTIONS_MAX });
  expect(await failuresByCause(on.db, orgId, id)).toMatchObject([
    { cause: 'unconfirmed', count: SMTP_CONNECTIONS_MAX },
  ]);
  expect(smtp.received).toHaveLength(SMTP_CONNECTIONS_MAX);

  smtp.script = {};
  await startOne();
  await done(id);
  expect((await campaign(id)).progress).toMatchObject({ sent: 20 - SMTP_CONNECTIONS_MAX, possiblyTwice: 0 });
  expect(new Set(smtp.received.map(({ to }) => to)).size).toBe(20);
  expect(smtp.received).toHaveLength(20);
});

test('when the server dies with a mail in hand, one more copy with the same Message-ID goes out, and is counted', async () => {
  smtp.script = { end: () => 'cut' };
  const id = await launched(1);
  await startOne();
  await until('it was handed over', async () => (await campaign(id)).progress.possiblyTwice === 1);
  await until('the job waits', async () => (await queue.getDelayedCount()) === 1);
  await sql`update reach_outs set due_at = now() where due_at is not null`.execute(on.db);
  await (await queue.getDelayed())[0]?.promote();
  await done(id);
  expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(1);
  expect(smtp.received).toHaveLength(2);
  expect(await failuresByCause(on.db, orgId, id)).toMatchObject([{ cause: 'unconfirmed', count: 1 }]);
});
