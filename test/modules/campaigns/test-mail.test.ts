import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { MAIL_TURN_MS } from '../../../src/limits.ts';
import type { SendOptions, SendOutcome } from '../../../src/mail/mailing.ts';
import { TEST_MAILS_PER_MINUTE_MAX } from '../../../src/modules/campaigns/limits.ts';
import { sendTestMail } from '../../../src/modules/campaigns/test-mail.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import type { ApiClient } from '../../api-client.ts';
import { until } from '../../database.ts';
import { mailsTo, readMail } from '../../mails.ts';
import { createQuietLog } from '../../process/quiet-log.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { actionsOf } from '../accounts/members.ts';

const DRAFT = {
  name: 'Weekly',
  subject: 'Hello {{name}}',
  body: 'How are you at {{organisation}}?',
  questions: ['How are you?', { text: 'How much?', answer: 'scale' }],
};

let api: RunningApi;
let mailer: TestWorker;
beforeAll(async () => {
  api = await runApi();
  const { API_URL: _, ...environment } = await testEnvironment(api.database);
  mailer = await startWorker('mailer', startMailer, { ...environment, API_URL: api.url });
});
afterAll(async () => {
  await mailer.stop();
  await api.stop();
});

const draft = async (client: ApiClient) =>
  (await client.send<{ id: number }>('POST', '/api/v1/campaigns', DRAFT)).body.id;
const askForTest = (client: ApiClient, id: number) =>
  client.send<{ to: string; detail: string }>('POST', `/api/v1/campaigns/${id}/test`);

test('a test goes to the person who asks for it, marked as a test, and leaves nothing behind', async () => {
  const client = await api.newOwner();
  const id = await draft(client);
  const { status, body } = await askForTest(client, id);
  expect(status).toBe(202);
  const [caught] = await until('it is there', async () => {
    const mails = await mailsTo(body.to);
    return mails.length > 0 ? mails : undefined;
  });
  const mail = await readMail(caught?.id ?? 0);
  expect(mail.subject).toBe('[Test] Hello owner');
  expect(mail.text).toMatch(/^\*\*\* This is a test of the campaign “Weekly”, sent to you only\./);
  expect(mail.text).toContain('How are you at Acme?');
  expect(mail.html).toContain('This is a test of the campaign');
  expect(mail.headers['auto-submitted']).toBe('auto-generated');
  expect(mail.headers).not.toHaveProperty('list-unsubscribe');

  const links = [...mail.text.matchAll(/https?:\S+/g)].map(([link]) => link);
  expect(links.length).toBeGreaterThan(1);
  expect(new Set(links).size).toBe(1);
  const page = await fetch(links[0] as string);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const shown = await (await fetch(`${links[0]}/questions`)).json();
  expect(shown).toEqual({
    name: 'Weekly',
    questions: [
      { text: 'How are you?', answer: 'text' },
      { text: 'How much?', answer: 'scale' },
    ],
  });
  const { db } = api.database;
  expect(await db.selectFrom('reach_outs').where('org_id', '=', client.orgId).select('id').execute()).toEqual([]);
  const campaign = (await client.get<{ status: string; progress: object }>(`/api/v1/campaigns/${id}`)).body;
  expect(campaign.status).toBe('draft');
  expect(Object.values(campaign.progress).every((count) => count === 0 || count === null)).toBe(true);
});

test('a refusal that comes after the turn is logged, because nobody tries that test again', async () => {
  onTestFinished(() => void vi.useRealTimers());
  const client = await api.newOwner();
  const [campaignId, { body: me }] = [await draft(client), await client.get<{ user: { id: number } }>('/api/v1/me')];
  const answer = Promise.withResolvers<SendOutcome>();
  const send = (_: unknown, { onHandedOver }: SendOptions = {}) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onHandedOver?.();
    vi.advanceTimersByTime(MAIL_TURN_MS);
    vi.useRealTimers();
    return answer.promise;
  };
  const { log, warn } = createQuietLog();
  const kept: Promise<void>[] = [];
  const turn = await sendTestMail(
    { ...{ config: mailer.config, database: api.database.database, mail: { send } as never, links: [] }, log },
    { orgId: client.orgId, campaignId, userId: me.user.id, askedAt: Date.now() },
    new AbortController().signal,
    (work) => void kept.push(work),
  );
  expect([turn, kept.length]).toEqual(['finished', 1]);
  const outcome: SendOutcome = { kind: 'deferred', about: 'mail', reason: '451 try again later' };
  answer.resolve(outcome);
  await Promise.all(kept);
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ outcome }), 'a test mail was not sent');
});

test('a link to a preview that we did not sign leads nowhere', async () => {
  for (const path of ['/preview/1.1.nonsense', '/preview/1.1.nonsense/questions'])
    expect((await fetch(`${api.url}${path}`)).status).toBe(404);
});

test('the tests of one person are limited', async () => {
  const client = await api.newOwner();
  const id = await draft(client);
  for (let nth = 0; nth < TEST_MAILS_PER_MINUTE_MAX; nth++) expect((await askForTest(client, id)).status).toBe(202);
  expect((await askForTest(client, id)).status).toBe(429);
});

test('of those that come at once none is sent that is refused, and one that cannot be sent does not count', async () => {
  const client = await api.newOwner();
  const id = await draft(client);
  expect((await askForTest(client, id + 1_000)).status).toBe(404);
  const asked = await Promise.all(Array.from({ length: TEST_MAILS_PER_MINUTE_MAX + 2 }, () => askForTest(client, id)));
  expect(asked.filter(({ status }) => status === 202)).toHaveLength(TEST_MAILS_PER_MINUTE_MAX);
  expect((await actionsOf(client)).filter((action) => action === 'campaign.tested')).toHaveLength(
    TEST_MAILS_PER_MINUTE_MAX,
  );
});

test("nobody gets a test of another organisation's campaign, or of their own at an address that is suppressed", async () => {
  const client = await api.newOwner();
  const id = await draft(client);
  expect((await askForTest(await api.newOwner(), id)).status).toBe(404);
  expect((await askForTest(await api.signedIn(client.orgId, 'viewer'), id)).status).toBe(403);
  const { user } = (await client.get<{ user: { email: string } }>('/api/v1/me')).body;
  await client.send('POST', '/api/v1/suppressions', { address: user.email });
  expect(await askForTest(client, id)).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/suppressed/) },
  });
});
