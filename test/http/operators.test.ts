import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mailedLink } from '../../src/modules/accounts/mailed-link.ts';
import { type ApiClient, call, createClient } from '../api-client.ts';
import { operationsOf } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { OPERATOR } from '../worker.ts';

const PATH = '/api/v1/operations';
const PASSWORD = 'a long enough password';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test('an owner who does not run the platform is told whom it is for, and what to do if it is they', async () => {
  const owner = await api.newOwner();
  const answer = await owner.get(PATH);
  expect(answer).toMatchObject({
    status: 403,
    body: { code: 'forbidden', detail: expect.stringContaining('OPERATORS') },
  });
  expect((await owner.get('/api/v1/me')).body).toMatchObject({ operator: false });
});

test('where nobody is named, nobody runs the platform, however their address was confirmed', async () => {
  const without = await runApi({ OPERATORS: '' });
  const confirmed = await without.operator('owner');
  expect((await confirmed.get(PATH)).status).toBe(403);
  expect((await confirmed.get('/api/v1/me')).body).toMatchObject({ emailVerified: true, operator: false });
  await without.stop();
});

test('the document says which operations are for those who run the platform, and that no key reaches them', async () => {
  const named = (await operationsOf(api.url)).filter(({ operation }) => operation['x-operator'] === true);
  expect(named.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${PATH}`]);
  expect(named[0]?.operation).toMatchObject({ 'x-scope': 'none' });
  expect(named[0]?.operation.responses).toHaveProperty('403');
});

test('an address becomes an operator’s when its mailbox confirms it, and with its account it stops being one', async () => {
  const first = await registerAs(OPERATOR);
  expect((await first.get(PATH)).status).toBe(403);
  expect((await follow(first, first)).status).toBe(204);
  expect((await first.get(PATH)).status).toBe(200);
  expect((await first.get('/api/v1/me')).body).toMatchObject({ operator: true, user: { email: OPERATOR } });

  await leave(first);
  expect((await first.get(PATH)).status).toBe(401);

  // Another organisation, which does not read the mailbox.
  const second = await registerAs(OPERATOR);
  expect((await second.get(PATH)).status).toBe(403);
  expect((await second.get('/api/v1/me')).body).toMatchObject({ operator: false });
  await leave(second);
});

test('whoever registers an operator’s address is not one because its owner follows the link in the mail', async () => {
  const stranger = await registerAs(OPERATOR);
  const refusal = { status: 403, body: { code: 'forbidden', detail: expect.stringContaining('reset the password') } };
  const bystander = await api.newOwner();
  expect(await follow(stranger)).toMatchObject(refusal);
  expect(await follow(stranger, bystander)).toMatchObject(refusal);
  expect((await stranger.get('/api/v1/me')).body).toMatchObject({ emailVerified: false, operator: false });
  expect((await stranger.get(PATH)).status).toBe(403);
  await leave(stranger);
});

test('an API key of an operator is not one: it lies in files', async () => {
  const operator = await api.operator('owner');
  expect((await operator.get(PATH)).status).toBe(200);
  const { body } = await operator.send<{ key: string }>('POST', '/api/v1/api-keys', { name: 'script', scope: 'write' });
  const program = createClient(api.url, body.key, operator.orgId);
  expect(await program.get(PATH)).toMatchObject({ status: 403, body: { detail: expect.stringContaining('API key') } });
  expect((await program.get('/api/v1/me')).body).toMatchObject({ operator: false });
});

async function registerAs(email: string): Promise<ApiClient> {
  const { body } = await call<{ token: string; organisation: { id: number } }>(
    api.url,
    'POST',
    '/api/v1/registrations',
    {
      body: { organisation: 'Acme', name: 'Olga', email, password: PASSWORD },
      headers: {},
    },
  );
  return createClient(api.url, body.token, body.organisation.id);
}

/** The link that the mail to the address has, in the browser of somebody who may be signed in. */
async function follow({ orgId }: ApiClient, by?: ApiClient) {
  const { rows } = await sql<{ id: number }>`
    select id from account_links where org_id = ${orgId} and purpose = 'email-verification'`.execute(api.database.db);
  const url = mailedLink(api.worker.config, 'email-verification', { orgId, id: rows[0]?.id ?? 0 });
  const token = url.slice(url.lastIndexOf('/') + 1);
  const headers: Record<string, string> = by === undefined ? {} : { cookie: `tardigrade_session=${by.token}` };
  return call(api.url, 'POST', '/api/v1/email-verifications/confirmations', { body: { token }, headers });
}

/** Another owner removes them. */
async function leave(client: ApiClient): Promise<void> {
  const { body: me } = await client.get<{ user: { id: number } }>('/api/v1/me');
  const other = await api.signedIn(client.orgId, 'owner');
  expect((await other.send('DELETE', `/api/v1/users/${me.user.id}`)).status).toBe(204);
}
