import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSessions } from '../../../src/http/authentication.ts';
import { createIssuedTokens } from '../../../src/http/issued-tokens.ts';
import { createClient } from '../../api-client.ts';
import { registerOrganisation } from '../../registration.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { SECRET_KEY } from '../../worker.ts';
import { actionsOf, addPerson, type Person } from './members.ts';

interface Listed {
  id: number;
  device: string;
  network: string;
  lastUsedAt: string;
  current: boolean;
}

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test('people see their sessions, with what they use and where, and none of anybody else', async () => {
  const person = await addPerson(api, 'owner');
  const colleague = await addPerson(api, 'admin', person.orgId);
  await another(person, 'curl/8.5', '198.51.100.7');
  expect(await listed(person)).toMatchObject([
    { device: 'curl/8.5', network: '198.51.100.7', current: false },
    { current: true },
  ]);
  expect(await listed(colleague)).toHaveLength(1);
});

test('a sign-in notes the device and the network', async () => {
  const answer = await registerOrganisation(api, {}, { 'user-agent': 'Browser/1.0 (Test)' });
  const client = createClient(api.url, answer.body.token, answer.body.organisation.id);
  const { sessions } = (await client.get<{ sessions: Listed[] }>('/api/v1/sessions')).body;
  expect(sessions).toMatchObject([{ device: 'Browser/1.0 (Test)', network: '127.0.0.1', current: true }]);
});

test('one session is ended at once; a session of somebody else cannot be', async () => {
  const person = await addPerson(api, 'owner');
  const other = await another(person);
  const colleague = await addPerson(api, 'owner', person.orgId);
  expect((await other.get('/api/v1/me')).status).toBe(200);
  const id = (await listed(person)).find(({ current }) => !current)?.id;
  expect((await colleague.send('DELETE', `/api/v1/sessions/${id}`)).status).toBe(404);
  expect((await person.send('DELETE', `/api/v1/sessions/${id}`)).status).toBe(204);
  expect((await other.get('/api/v1/me')).status).toBe(401);
  expect((await person.send('DELETE', `/api/v1/sessions/${id}`)).status).toBe(404);
  expect((await actionsOf(person))[0]).toBe('session.ended');
});

test('all others are ended together, and this one stays', async () => {
  const person = await addPerson(api, 'owner');
  const others = [await another(person), await another(person)];
  for (const other of others) expect((await other.get('/api/v1/me')).status).toBe(200);
  expect(await person.send('DELETE', '/api/v1/sessions/others')).toMatchObject({ status: 200, body: { ended: 2 } });
  for (const other of others) expect((await other.get('/api/v1/me')).status).toBe(401);
  expect(await listed(person)).toMatchObject([{ current: true }]);
});

test('the last use is written when it is some minutes old, and not for each request', async () => {
  const person = await addPerson(api, 'owner');
  const used = async () => (await listed(person))[0]?.lastUsedAt as string;
  const first = await used();
  expect(await used()).toBe(first);
  const old = await another(person);
  await sql`update sessions set last_used_at = now() - interval '1 hour' where user_id = ${person.userId}`.execute(
    api.database.db,
  );
  await old.get('/api/v1/me');
  await expect.poll(async () => Date.now() - Date.parse(await used()) < 60_000).toBe(true);
});

async function listed(person: Person): Promise<Listed[]> {
  return (await person.get<{ sessions: Listed[] }>('/api/v1/sessions')).body.sessions;
}

async function another({ orgId, userId }: Person, device = '', network = '') {
  const sessions = createSessions(api.database.database, createIssuedTokens(SECRET_KEY));
  return createClient(api.url, await sessions.create(api.database.db, { orgId, userId, device, network }), orgId);
}
