import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { JOBS_AT_ONCE, MAIL_PATIENCE_MS } from '../../../src/limits.ts';
import { ACCOUNT_MAIL_QUEUE } from '../../../src/modules/accounts/jobs.ts';
import { openQueue } from '../../../src/queue/queues.ts';
import { writeToOutbox } from '../../../src/queue/transactional-outbox.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { mailsTo } from '../../mails.ts';
import { addOrganisation } from '../../organisation.ts';
import { type ScriptedSmtp, startScriptedSmtp } from '../../smtp.ts';
import { emptyRedis, startWorker, type TestWorker, testEnvironment, testRedisUrl } from '../../worker.ts';

let on: TestDatabase;
let orgId: number;
/** Of this run alone: other tests mail to the same server. */
let domain: string;
let mailer: TestWorker | undefined;
let smtp: ScriptedSmtp | undefined;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());
beforeEach(async () => {
  await emptyRedis();
  orgId = await addOrganisation(on.db);
  domain = `org-${randomBytes(6).toString('hex')}.test`;
});
afterEach(async () => {
  await smtp?.close(); // first, because a stop waits for its answers
  smtp = undefined;
  await mailer?.stop();
});

test('an invitation whose job was lost is mailed by the sweep', async () => {
  const lost = await invite('lost', '2 minutes');
  await start();
  await until('the mail is noted', async () => (await stateOf(lost))?.mailed_at);
  expect(await mailsTo(`lost@${domain}`)).toHaveLength(1);
});

test('a registration whose job was lost is mailed by the sweep, unless it has expired', async () => {
  const [lost, expired] = [`lost@${domain}`, `expired@${domain}`];
  await on.db
    .insertInto('registrations')
    .values([
      { email: lost, created_at: minutesAgo(2), expires_at: minutesAgo(-1) },
      { email: expired, created_at: minutesAgo(3), expires_at: minutesAgo(1) },
    ])
    .execute();
  await start();
  await until('the mail is noted', async () => {
    const row = await on.db.selectFrom('registrations').where('email', '=', lost).selectAll().executeTakeFirst();
    return row?.mailed_at;
  });
  expect(await mailsTo(lost)).toHaveLength(1);
  expect(await mailsTo(expired)).toEqual([]);
});

test('a mail that the server refuses for good is not tried again, and the list says why', async () => {
  const refused = await invite('bounce-nia', '1 second');
  await want(refused);
  await start();
  const { mail_problem } = await until('the refusal is noted', async () => {
    const state = await stateOf(refused);
    return state?.mailed_at === null ? undefined : state;
  });
  expect(mail_problem).toContain('no such mailbox');
});

test('an invitation that was withdrawn, was mailed already, or has expired is not mailed', async () => {
  const [withdrawn, mailed, expired] = [
    await invite('withdrawn', '2 minutes'),
    await invite('mailed', '2 minutes'),
    await invite('expired', '2 minutes'),
  ];
  await on.db.deleteFrom('invitations').where('id', '=', withdrawn).execute();
  await sql`update invitations set mailed_at = now() where id = ${mailed}`.execute(on.db);
  await sql`update invitations set expires_at = now() where id = ${expired}`.execute(on.db);
  const last = await invite('last', '1 second');
  for (const id of [withdrawn, mailed, expired, last]) await want(id);
  await start();
  await until('the last one is mailed', async () => (await mailsTo(`last@${domain}`))[0]);
  for (const name of ['withdrawn', 'mailed', 'expired']) expect(await mailsTo(`${name}@${domain}`), name).toEqual([]);
});

test('any number of domains whose servers take minutes for each mail do not hold up the mails to others', async () => {
  smtp = await startScriptedSmtp({
    rcptTo: (address) => (/@slow-\d+\./.test(address) ? new Promise(() => undefined) : undefined),
  });
  const slow = 3 * JOBS_AT_ONCE;
  for (let nth = 0; nth < slow; nth++) await want(await invite('one', '1 second', `slow-${nth}.${domain}`));
  await start(smtp.url);
  await until('it is busy with slow ones', () => (smtp?.transactions ?? 0) >= JOBS_AT_ONCE);
  const quick = await invite('quick', '1 second');
  await want(quick);
  await until(
    'the quick one is mailed',
    async () => (await stateOf(quick))?.mailed_at,
    4 * MAIL_PATIENCE_MS.min + 20_000,
  );
  expect(smtp.received.map(({ to }) => to)).toEqual([`quick@${domain}`]);
});

test('any number of mails that the server has and does not answer do not hold up the others, and none is sent twice', async () => {
  const answers: (() => void)[] = [];
  smtp = await startScriptedSmtp({
    end: ({ to }) =>
      to.includes('@late') ? new Promise((resolve) => answers.push(() => resolve(undefined))) : undefined,
  });
  const late: number[] = [];
  for (let nth = 0; nth < 2 * JOBS_AT_ONCE; nth++) late.push(await invite('one', '2 minutes', `late-${nth}.${domain}`));
  await start(smtp.url);
  await until('all are with the server', () => answers.length === late.length, 60_000);
  const quick = await invite('quick', '1 second');
  await want(quick);
  await until('the quick one is mailed', async () => (await stateOf(quick))?.mailed_at);
  for (const id of late) await want(id); // as the sweep does
  for (const answer of answers) answer();
  for (const id of late) await until('it is noted', async () => (await stateOf(id))?.mailed_at);
  expect(smtp.received).toHaveLength(late.length + 1);
});

test('a mail after which the server breaks the connection is sent once more, and not for as long as its link is valid', async () => {
  smtp = await startScriptedSmtp({ end: () => 'cut' });
  const id = await invite('broken', '2 minutes');
  await start(smtp.url);
  await until('it was with the server', () => smtp?.received.length === 1);
  await comeBack(`invitation-${orgId}-${id}`);
  await until('it is noted', async () => (await stateOf(id))?.mail_problem);
  expect(smtp.received.map(({ messageId }) => messageId)).toEqual(Array(2).fill(smtp.received[0]?.messageId));
});

/** A job that waits has its turn now. */
async function comeBack(jobId: string): Promise<void> {
  const redis = new Redis(testRedisUrl());
  onTestFinished(() => redis.disconnect());
  const queue = openQueue(ACCOUNT_MAIL_QUEUE, redis);
  await until('the job waits', async () => {
    const job = await queue.getJob(jobId);
    return job !== undefined && (await job.isDelayed());
  });
  await (await queue.getJob(jobId))?.promote();
}

function minutesAgo(minutes: number): Date {
  return new Date(Date.now() - minutes * 60_000);
}

async function start(smtpUrl?: string): Promise<void> {
  const environment = await testEnvironment(on);
  const { SMTP_URL = '' } = environment;
  const change = { DATABASE_REPLICA_URL: '', SMTP_URL: smtpUrl ?? SMTP_URL };
  mailer = await startWorker('mailer', startMailer, { ...environment, ...change });
}

async function invite(name: string, ago: string, at = domain): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    insert into invitations (org_id, email, role, invited_by, created_at, expires_at)
    values (${orgId}, ${`${name}@${at}`}, 'viewer', 'Olga',
      now() - ${ago}::interval, now() + interval '1 day')
    returning id`.execute(on.db);
  return rows[0]?.id as number;
}

async function want(id: number): Promise<void> {
  await writeToOutbox(on.db, { orgId, topic: 'account.mail-wanted', payload: { kind: 'invitation', id } });
}

function stateOf(id: number) {
  return on.db.selectFrom('invitations').where('id', '=', id).select(['mailed_at', 'mail_problem']).executeTakeFirst();
}
