import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiClient, call, createClient } from '../api-client.ts';
import { operationsOf } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { OPERATOR } from '../worker.ts';

const PATH = '/api/v1/operations';

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

test('where nobody is named, nobody runs the platform', async () => {
  const without = await runApi({ OPERATORS: '' });
  const owner = await without.operator('owner');
  expect((await owner.get(PATH)).status).toBe(403);
  expect((await owner.get('/api/v1/me')).body).toMatchObject({ operator: false });
  await without.stop();
});

test('the document says which operations are for those who run the platform, and that no key reaches them', async () => {
  const named = (await operationsOf(api.url)).filter(({ operation }) => operation['x-operator'] === true);
  expect(named.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${PATH}`]);
  expect(named[0]?.operation).toMatchObject({ 'x-scope': 'none' });
  expect(named[0]?.operation.responses).toHaveProperty('403');
});

test('an account with a listed address is an operator’s whatever its role, and with the account that ends', async () => {
  const operator = await api.operator('viewer');
  expect((await operator.get(PATH)).status).toBe(200);
  expect((await operator.get('/api/v1/me')).body).toMatchObject({ operator: true, user: { email: OPERATOR } });
  await leave(operator);
  expect((await operator.get(PATH)).status).toBe(401);
});

test('whoever registers an operator’s address has nothing before its mailbox was read', async () => {
  const body = { email: OPERATOR };
  expect(await call(api.url, 'POST', '/api/v1/registrations', { headers: {}, body })).toMatchObject({
    status: 202,
    body,
  });
  const { rows } = await sql`select from users where email = ${OPERATOR}`.execute(api.database.db);
  expect(rows).toEqual([]);
});

test('an API key of an operator is not one: it lies in files', async () => {
  const operator = await api.operator('owner');
  expect((await operator.get(PATH)).status).toBe(200);
  const { body } = await operator.send<{ key: string }>('POST', '/api/v1/api-keys', { name: 'script', scope: 'write' });
  const program = createClient(api.url, body.key, operator.orgId);
  expect(await program.get(PATH)).toMatchObject({ status: 403, body: { detail: expect.stringContaining('API key') } });
  expect((await program.get('/api/v1/me')).body).toMatchObject({ operator: false });
});

/** Another owner removes them. */
async function leave(client: ApiClient): Promise<void> {
  const { body: me } = await client.get<{ user: { id: number } }>('/api/v1/me');
  const other = await api.signedIn(client.orgId, 'owner');
  expect((await other.send('DELETE', `/api/v1/users/${me.user.id}`)).status).toBe(204);
}
