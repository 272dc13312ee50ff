import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { createTransport } from 'nodemailer';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { createSession } from '../../../src/db/read-write-split.ts';
import { bounceAddress } from '../../../src/mail/mail-reference.ts';
import { retryCampaign } from '../../../src/modules/campaigns/campaigns.ts';
import { expandLedger } from '../../../src/modules/campaigns/expansion.ts';
import { feedback } from '../../../src/modules/campaigns/feedback.ts';
import { claimReachOuts, recordReachOuts, sendingCampaign } from '../../../src/modules/campaigns/ledger.ts';
import { resultOf } from '../../../src/modules/campaigns/reach-out-result.ts';
import { failuresByCause, recipientsOf } from '../../../src/modules/campaigns/recipient-queries.ts';
import { liftSuppression, suppressByHand } from '../../../src/modules/suppressions/suppressions.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { bounceMail, complaintMail } from '../../mail/reports.ts';
import { addOrganisation } from '../../organisation.ts';
import { type ScriptedSmtp, startScriptedSmtp } from '../../smtp.ts';
import { emptyRedis, startWorker, type TestWorker, testEnvironment, testRedisUrl } from '../../worker.ts';
import { addEmployeesNamed } from '../employees/people.ts';
import { addLaunched, campaignOf, countedInLedger } from './drafts.ts';

const BOUNCES = 'bounces.test';

let on: TestDatabase;
let orgId: number;
let smtp: ScriptedSmtp;
let mailer: TestWorker | undefined;
let bouncePort: number;
const redis = new Redis(testRedisUrl());

beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(async () => {
  await on.close();
  redis.disconnect();
});
beforeEach(async () => {
  await emptyRedis();
  orgId = await addOrganisation(on.db);
  smtp = await startScriptedSmtp();
});
afterEach(async () => {
  await mailer?.stop();
  mailer = undefined;
  await smtp.close();
  await sql`update campaigns set status = 'cancelled'`.execute(on.db);
});

async function startOne(): Promise<void> {
  bouncePort = await freePort();
  mailer = await startWorker('mailer', startMailer, {
    ...(await testEnvironment(on)),
    ...{ DATABASE_REPLICA_URL: '', SMTP_URL: smtp.url },
    ...{ MAIL_BOUNCE_DOMAIN: BOUNCES, MAIL_BOUNCE_PORT: String(bouncePort) },
  });
}

const session = () => createSession(on.database, orgId);
const people = (...names: string[]) =>
  addEmployeesNamed(
    on.db,
    orgId,
    names.map((name) => ({ name, email: `${name}@corp.test` })),
  );
const progress = async (id: number) => (await campaignOf(on.db, orgId, id)).progress;
const done = (id: number) =>
  until('the campaign is done', async () => (await campaignOf(on.db, orgId, id)).status === 'done');
const mailsTo = (name: string) => smtp.received.filter(({ to }) => to === `${name}@corp.test`);
const suppressions = () =>
  on.db.selectFrom('suppressions').where('org_id', '=', orgId).selectAll().orderBy('id').execute();
const reachOuts = (campaignId: number) =>
  on.db.selectFrom('reach_outs').where('campaign_id', '=', campaignId).selectAll().orderBy('id').execute();

/** As the mail server of `name` would return the mail that it got. */
async function returnMail(name: string, report = bounceMail): Promise<void> {
  const messageId = mailsTo(name).at(-1)?.messageId ?? '';
  const to = bounceAddress(messageId.slice(1, messageId.indexOf('@')), BOUNCES);
  const server = createTransport({ host: '127.0.0.1', port: bouncePort });
  await server.sendMail({ envelope: { from: 'mailer-daemon@corp.test', to }, raw: report({ messageId }) });
  server.close();
}

test('a hard bounce is never mailed again: not by a retry, and not by the next campaign', async () => {
  smtp.script = { rcptTo: (address) => (address.startsWith('gone') ? '550 5.1.1 no such mailbox' : undefined) };
  await people('ada', 'gone', 'ben');
  const first = await addLaunched(on.database, orgId);
  await startOne();
  await done(first);
  expect(await progress(first)).toMatchObject({ recipients: 3, sent: 2, failed: 1, suppressed: 0 });
  expect(await suppressions()).toMatchObject([
    { address: 'gone@corp.test', reason: 'bounce', detail: expect.stringContaining('550 5.1.1'), lifted_at: null },
  ]);

  smtp.script = {}; // from now on the server would take it
  await expect(retryCampaign(session(), { orgId }, first, {})).rejects.toThrow(/suppressed can be lifted first/);
  const second = await addLaunched(on.database, orgId);
  await done(second);
  expect(await progress(second)).toMatchObject({ recipients: 3, sent: 2, failed: 0, skipped: 1, suppressed: 1 });
  expect(await progress(second)).toMatchObject((await countedInLedger(on.db, orgId, second)) as object);
  expect(mailsTo('gone')).toEqual([]);

  const [{ id } = { id: 0 }] = await suppressions();
  await liftSuppression(session(), { orgId }, id, 'Ada');
  await retryCampaign(session(), { orgId }, first, {});
  await done(first);
  expect(await progress(first)).toMatchObject({ sent: 3, failed: 0 });
  expect(mailsTo('gone')).toHaveLength(1);
});

test('a full mailbox and a refusal because of us suppress nobody', async () => {
  smtp.script = {
    rcptTo: (address) => (address.startsWith('full') ? '552 5.2.2 mailbox full' : undefined),
    end: ({ to }) => (to.startsWith('picky') ? '554 5.6.0 content rejected' : undefined),
  };
  await people('full', 'picky');
  const id = await addLaunched(on.database, orgId);
  await startOne();
  await done(id);
  expect(await progress(id)).toMatchObject({ failed: 2, sent: 0 });
  expect(await suppressions()).toEqual([]);
});

test('a mail that is returned later has failed, its address is suppressed, and the next campaign leaves it out', async () => {
  await people('ada', 'left');
  const first = await addLaunched(on.database, orgId);
  await startOne();
  await done(first);
  expect(await progress(first)).toMatchObject({ sent: 2, failed: 0 });
  for (let copy = 0; copy < 2; copy++) await returnMail('left');
  expect(await progress(first)).toMatchObject({ sent: 1, failed: 1 });
  expect(await progress(first)).toMatchObject((await countedInLedger(on.db, orgId, first)) as object);
  expect(await failuresByCause(on.database.primary(orgId), orgId, first)).toEqual([
    { cause: 'bounced', count: 1, suppressed: 1, example: '550 5.1.1 <gone@corp.test>: User unknown' },
  ]);
  expect(await suppressions()).toMatchObject([{ address: 'left@corp.test', reason: 'bounce' }]);

  const second = await addLaunched(on.database, orgId);
  await done(second);
  expect(await progress(second)).toMatchObject({ sent: 1, suppressed: 1 });
  expect(mailsTo('left')).toHaveLength(1);
});

test('a mail that was given up for now has failed, and can be sent again without lifting anything', async () => {
  await people('busy');
  const id = await addLaunched(on.database, orgId);
  await startOne();
  await done(id);
  await returnMail('busy', (parts) =>
    bounceMail({ ...parts, status: '4.4.1', diagnostic: 'smtp; connection timed out' }),
  );
  expect(await progress(id)).toMatchObject({ sent: 0, failed: 1 });
  expect(await suppressions()).toEqual([]);
  await retryCampaign(session(), { orgId }, id, { cause: 'bounced' });
  await done(id);
  expect(await progress(id)).toMatchObject({ sent: 1, failed: 0 });
  expect(mailsTo('busy')).toHaveLength(2);
});

test('somebody who complains is unsubscribed, suppressed and counted once', async () => {
  await people('ada', 'angry');
  const id = await addLaunched(on.database, orgId);
  await startOne();
  await done(id);
  for (let copy = 0; copy < 2; copy++) await returnMail('angry', complaintMail);
  expect(await progress(id)).toMatchObject({ sent: 2, failed: 0, complaints: 1 });
  expect(await suppressions()).toMatchObject([{ address: 'angry@corp.test', reason: 'complaint' }]);
  const gone = on.db.selectFrom('employees').where('org_id', '=', orgId).where('unsubscribed_at', 'is not', null);
  expect(await gone.select('name').execute()).toEqual([{ name: 'angry' }]);
});

test('a suppression holds in its own organisation only', async () => {
  await people('shared');
  const other = await addOrganisation(on.db);
  await suppressByHand(createSession(on.database, other), { orgId: other }, 'shared@corp.test', 'Ada');
  const id = await addLaunched(on.database, orgId);
  await expandLedger(on.database, await sending(id));
  expect(await reachOuts(id)).toMatchObject([{ status: 'waiting' }]);
});

async function sending(id: number) {
  const campaign = await sendingCampaign(on.database.primary(orgId), orgId, id);
  if (campaign === undefined) throw new Error(`campaign ${id} is not being sent`);
  return campaign;
}

test('an address that is suppressed after the ledger was written is left out when its turn comes', async () => {
  await people('late', 'ada');
  const id = await addLaunched(on.database, orgId);
  const campaign = await sending(id);
  await expandLedger(on.database, campaign);
  await suppressByHand(session(), { orgId }, 'LATE@corp.test', 'Ada');
  const claimed = await claimReachOuts(on.database.primary(orgId), campaign, 10);
  expect(claimed.map(({ suppressed }) => suppressed)).toEqual([true, false]);
  const results = claimed.map((one) => resultOf(one, one.suppressed ? 'suppressed' : { kind: 'sent' }));
  await recordReachOuts(on.database.primary(orgId), campaign, results);
  expect(await progress(id)).toMatchObject({ recipients: 2, sent: 1, skipped: 1, suppressed: 1 });
});

test('a bounce that is faster than the record of its mail is not overwritten by it', async () => {
  await people('quick');
  const id = await addLaunched(on.database, orgId);
  const campaign = await sending(id);
  await expandLedger(on.database, campaign);
  const [claimed] = await claimReachOuts(on.database.primary(orgId), campaign, 10);
  if (claimed === undefined) throw new Error('nothing was claimed');
  const event = { kind: 'bounce', permanent: true, reason: '550 5.1.1 gone' } as const;
  expect(await feedback.record(on.database.primary(orgId), { orgId, id: claimed.id }, event)).toBe('quick@corp.test');
  await recordReachOuts(on.database.primary(orgId), campaign, [resultOf(claimed, { kind: 'sent' })]);
  expect(await reachOuts(id)).toMatchObject([
    { status: 'failed', cause: 'bounced', error: '550 5.1.1 gone', due_at: null },
  ]);
  expect(await progress(id)).toMatchObject({ sent: 0, failed: 1 });
});

test('a report about a mail that was not sent yet, or of another organisation, changes nothing', async () => {
  await people('early');
  const id = await addLaunched(on.database, orgId);
  await expandLedger(on.database, await sending(id));
  const [row] = await reachOuts(id);
  const event = { kind: 'bounce', permanent: true, reason: 'gone' } as const;
  const target = { orgId, id: Number(row?.id) };
  expect(await feedback.record(on.database.primary(orgId), target, event)).toBeUndefined();
  expect(await feedback.record(on.database.primary(orgId), { ...target, orgId: orgId + 1 }, event)).toBeUndefined();
  expect(
    await feedback.record(
      on.database.primary(orgId),
      { ...target, orgId: orgId + 1 },
      { kind: 'complaint', reason: 'abuse' },
    ),
  ).toBeUndefined();
  expect(await reachOuts(id)).toEqual([row]);
});

test('the number of recipients before a launch leaves out those who are suppressed or have unsubscribed', async () => {
  await people('ann', 'bob', 'cem', 'dee');
  const recipients = () => session().read((db) => recipientsOf(db, orgId));
  expect(await recipients()).toBe(4);
  await suppressByHand(session(), { orgId }, 'stranger@corp.test', 'Olga');
  const { id } = await suppressByHand(session(), { orgId }, 'bob@corp.test', 'Olga');
  expect(await recipients()).toBe(3);
  // Who has unsubscribed and is suppressed as well counts once.
  await sql`update employees set unsubscribed_at = now() where org_id = ${orgId} and email = 'bob@corp.test'`.execute(
    on.db,
  );
  expect(await recipients()).toBe(3);
  await liftSuppression(session(), { orgId }, id, 'Olga');
  expect(await recipients()).toBe(3);
});
