import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MEMBERS_MAX } from '../../../src/modules/accounts/limits.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { call } from '../../api-client.ts';
import { until } from '../../database.ts';
import { mailsTo, readMail } from '../../mails.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { actionsOf, addPerson, moveReadPosition, type Person, tokenOf } from './members.ts';

interface Invitation {
  id: number;
  email: string;
  role: string;
  mailedAt: string | null;
}

const PASSWORD = 'three quiet words';

let api: RunningApi;
let mailer: TestWorker;
beforeAll(async () => {
  api = await runApi({ TRUST_PROXY_HOPS: '1' });
  const { API_URL } = { API_URL: api.url };
  mailer = await startWorker('mailer', startMailer, { ...(await testEnvironment(api.database)), API_URL });
});
afterAll(async () => {
  await mailer.stop();
  await api.stop();
});

let networks = 0;
const send = (path: string, body: object) =>
  call<{ token: string; detail: string }>(api.url, 'POST', path, {
    headers: { 'x-forwarded-for': `198.51.100.${++networks % 250}` },
    body,
  });
const invite = (by: Person, email: string, role = 'viewer') =>
  by.send<Invitation>('POST', '/api/v1/invitations', { email, role });
const accept = (token: string, name = 'Nia New') => send('/api/v1/memberships', { token, name, password: PASSWORD });
const linkOf = (by: Person, { id }: Invitation) => tokenOf(api, 'invitation', { orgId: by.orgId, id });

test('an invitation is mailed, and its link makes a member who is signed in, once', async () => {
  const owner = await addPerson(api, 'owner');
  const email = `nia@org-${owner.orgId}.test`;
  expect(await invite(owner, email.toUpperCase(), 'admin')).toMatchObject({
    status: 201,
    body: { email, role: 'admin' },
  });
  const [mail] = await until('the mail is caught', async () => {
    const mails = await mailsTo(email);
    return mails.length > 0 ? mails : undefined;
  });
  const { text, html, subject } = await readMail(mail?.id as number);
  expect(subject).toBe('owner invites you to Acme');
  const token = /#\/join\/([\w.-]+)/.exec(text)?.[1] as string;
  expect(html).toContain(token);
  expect(text.match(/https?:\S+/)?.[0]).toBe(`${api.url}/#/join/${token}`);

  const preview = await send('/api/v1/invitations/preview', { token });
  expect(preview).toMatchObject({ status: 200, body: { organisation: 'Acme', email, role: 'admin' } });
  const joined = await accept(token);
  expect(joined).toMatchObject({ status: 201, body: { user: { name: 'Nia New', email, role: 'admin' } } });
  const me = await call(api.url, 'GET', '/api/v1/me', { headers: { authorization: `Bearer ${joined.body.token}` } });
  expect(me.body).toMatchObject({ organisation: { id: owner.orgId } });
  expect((await accept(token)).status).toBe(410);
  expect((await send('/api/v1/invitations/preview', { token })).status).toBe(410);
  expect(await actionsOf(owner)).toEqual(['member.joined', 'invitation.sent']);
  await until('the mail is noted', async () => (await mailsTo(email)).length === 1);
});

test('the log says which invitation was sent, withdrawn or used, and not to whom: nobody could erase the address from it', async () => {
  const owner = await addPerson(api, 'owner');
  const [used, withdrawn] = await Promise.all(
    ['used', 'withdrawn'].map(async (name) => (await invite(owner, `${name}@org-${owner.orgId}.test`)).body),
  );
  await owner.send('DELETE', `/api/v1/invitations/${withdrawn?.id}`);
  await accept(linkOf(owner, used as Invitation));
  await moveReadPosition(owner);
  interface Entry {
    action: string;
    subject: string;
    details: { invitation?: number };
  }
  const { items } = (await owner.get<{ items: Entry[] }>('/api/v1/audit-log')).body;
  const of = ({ id }: Invitation) =>
    items
      .filter(({ subject, details }) => subject === `invitation ${id}` || details.invitation === id)
      .map(({ action, subject }) => [action, subject]);
  expect(of(used as Invitation)).toEqual([
    ['member.joined', `Nia New <used@org-${owner.orgId}.test>`],
    ['invitation.sent', `invitation ${used?.id}`],
  ]);
  expect(of(withdrawn as Invitation)).toEqual([
    ['invitation.withdrawn', `invitation ${withdrawn?.id}`],
    ['invitation.sent', `invitation ${withdrawn?.id}`],
  ]);
  expect(JSON.stringify(items)).not.toContain('withdrawn@');
});

test('of two who use a link at once, one becomes a member', async () => {
  const owner = await addPerson(api, 'owner');
  const { body } = await invite(owner, `twice@org-${owner.orgId}.test`);
  const answers = await Promise.all([1, 2, 3].map((n) => accept(linkOf(owner, body), `Nia ${n}`)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 410, 410]);
});

test('a link that is withdrawn, replaced, expired, forged or of another kind does not work, and all say the same', async () => {
  const owner = await addPerson(api, 'owner');
  const domain = `org-${owner.orgId}.test`;
  const [withdrawn, replaced, expired] = await Promise.all(
    ['withdrawn', 'replaced', 'expired'].map(async (name) => (await invite(owner, `${name}@${domain}`)).body),
  );
  expect((await owner.send('DELETE', `/api/v1/invitations/${withdrawn?.id}`)).status).toBe(204);
  const again = await invite(owner, `replaced@${domain}`);
  await sql`update invitations set expires_at = now() where id = ${expired?.id}`.execute(api.database.db);
  const good = linkOf(owner, again.body);
  const other = tokenOf(api, 'password-reset', { orgId: owner.orgId, id: again.body.id });
  const tokens = [
    ...[withdrawn, replaced, expired].map((one) => linkOf(owner, one as Invitation)),
    `${good.slice(0, -1)}!`,
    other,
  ];
  const answers = await Promise.all(tokens.map((token) => accept(token)));
  expect(answers.map(({ status }) => status)).toEqual([410, 410, 410, 410, 410]);
  expect(new Set(answers.map(({ body }) => body.detail)).size).toBe(1);
  expect((await accept(good)).status).toBe(201);
});

test('nobody learns from an invitation whether an address has an account elsewhere', async () => {
  const [owner, elsewhere] = [await addPerson(api, 'owner'), await addPerson(api, 'owner')];
  const { body } = await elsewhere.get<{ user: { email: string } }>('/api/v1/me');
  const known = await invite(owner, body.user.email);
  const unknown = await invite(owner, `unknown@org-${owner.orgId}.test`);
  expect([known.status, unknown.status]).toEqual([201, 201]);
  expect(Object.keys(known.body)).toEqual(Object.keys(unknown.body));
  const refused = await accept(linkOf(owner, known.body));
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('already has an account') } });
  expect((await send('/api/v1/invitations/preview', { token: linkOf(owner, known.body) })).status).toBe(200);
});

test('members are not invited again, and admins invite no owners', async () => {
  const owner = await addPerson(api, 'owner');
  const admin = await addPerson(api, 'admin', owner.orgId);
  const { body } = await admin.get<{ user: { email: string } }>('/api/v1/me');
  expect((await invite(owner, body.user.email)).status).toBe(409);
  expect((await invite(admin, 'boss@example.test', 'owner')).status).toBe(403);
  expect((await invite(owner, 'boss@example.test', 'owner')).status).toBe(201);
});

test('an organisation cannot grow beyond its limit, open invitations counted', async () => {
  const owner = await addPerson(api, 'owner');
  await sql`
    insert into users (org_id, email, name, role, password_hash)
    select ${owner.orgId}::bigint, n || '@full-' || ${owner.orgId}::bigint || '.test', 'x', 'viewer', 'none'
    from generate_series(1, ${MEMBERS_MAX - 2}::int) n`.execute(api.database.db);
  const answers = [await invite(owner, 'last@full.test'), await invite(owner, 'more@full.test')];
  expect(answers.map(({ status }) => status)).toEqual([201, 409]);
});

test('the list shows open invitations, newest first, and whether they were mailed', async () => {
  const owner = await addPerson(api, 'owner');
  for (const n of [1, 2]) await invite(owner, `list${n}@org-${owner.orgId}.test`);
  const list = () => owner.get<{ items: Invitation[] }>('/api/v1/invitations');
  await expect
    .poll(async () => (await list()).body.items.map(({ mailedAt }) => mailedAt !== null))
    .toEqual([true, true]);
  expect((await list()).body.items.map(({ email }) => email.slice(0, 5))).toEqual(['list2', 'list1']);
});
