import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashOfToken } from '../../src/http/token-lookup.ts';
import { type ApiClient, call } from '../api-client.ts';
import { operationsOf } from '../openapi.ts';
import { registerOrganisation } from '../registration.ts';
import { type RunningApi, runApi } from '../running-api.ts';

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.register();
});
afterAll(() => api.stop());

const me = (headers: Record<string, string>) => call(api.url, 'GET', '/api/v1/me', { headers });
const asOwner = () => ({ authorization: `Bearer ${owner.token}` });

test('without a token, or with an unknown one, the answer is 401 and says how to sign in', async () => {
  const wrong = 'A'.repeat(43);
  for (const headers of [
    {},
    { authorization: `Bearer ${wrong}` },
    { authorization: `Basic ${owner.token}` },
    { cookie: `tardigrade_session=${wrong}` },
    { cookie: 'tardigrade_session=' },
  ] as Record<string, string>[]) {
    const answer = await me(headers);
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code: 'unauthenticated', detail: 'Sign in first: POST /api/v1/sessions.' });
  }
});

test('a token that nobody knows counts for its network, and the answer says so', async () => {
  const { status, headers } = await me({ authorization: `Bearer ${'B'.repeat(43)}` });
  expect(status).toBe(401);
  expect(headers.get('ratelimit')).toMatch(/^"unknown sessions";r=\d+;t=\d+$/);
  expect((await me({})).headers.get('ratelimit')).toBeNull();
});

test('however many tokens the neighbours make up, who has just signed in gets in', async () => {
  const person = await api.register();
  const fresh = await api.signedIn(person.orgId, 'admin');
  const { body: key } = await person.send<{ key: string }>('POST', '/api/v1/api-keys', { name: 'new', scope: 'read' });
  const madeUp = () => me({ authorization: `Bearer ${randomBytes(32).toString('base64url')}` });
  while ((await Promise.all(Array.from({ length: 50 }, madeUp))).every(({ status }) => status === 401));
  expect(await madeUp()).toMatchObject({ status: 429, body: { detail: /^Too many unknown sessions/ } });
  expect((await fresh.get('/api/v1/me')).status).toBe(200);
  expect((await me({ authorization: `Bearer ${key.key}` })).status).toBe(200);
  // One that has ended is a stranger's no more than before, and is not asked for again: not even if it came back.
  const hash = hashOfToken(fresh.token);
  const { id: _, ...session } = await api.database.db
    .selectFrom('sessions')
    .selectAll()
    .where('token_hash', '=', hash)
    .executeTakeFirstOrThrow();
  expect((await fresh.send('DELETE', '/api/v1/sessions/current')).status).toBe(204);
  for (let time = 0; time < 2; time++) expect((await fresh.get('/api/v1/me')).status).toBe(401);
  await api.database.db.insertInto('sessions').values(session).execute();
  expect((await fresh.get('/api/v1/me')).status).toBe(401);
});

test('somebody who was removed a moment ago, and is still known here, is told so', async () => {
  const gone = await api.signedIn(owner.orgId, 'admin');
  const { body } = await gone.get<{ user: { id: number } }>('/api/v1/me');
  await api.database.db.deleteFrom('users').where('id', '=', body.user.id).execute();
  expect(await gone.get('/api/v1/me')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
});

test('programs send a bearer token, browsers a cookie that scripts cannot read', async () => {
  expect(await me(asOwner())).toMatchObject({ status: 200, body: { organisation: { id: owner.orgId } } });
  expect(await me({ cookie: `tardigrade_session=${owner.token}` })).toMatchObject({ status: 200 });

  const signedIn = await registerOrganisation(api, { email: 'ben@beta.test', password: 'a long enough password' });
  const cookie = signedIn.headers.getSetCookie().find((line) => line.startsWith('tardigrade_session='));
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Lax/);
  expect(cookie).toMatch(/Path=\//);
});

test('a malformed bearer token is not replaced by the cookie beside it; what a proxy adds is ignored', async () => {
  const cookie = `tardigrade_session=${owner.token}`;
  for (const authorization of ['Bearer', 'Bearer ', `bearer ${owner.token.slice(1)}`, `Bearer\t${owner.token}x`])
    expect((await me({ cookie, authorization })).status, authorization).toBe(401);
  for (const authorization of ['Basic c3RhZ2luZzp4', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.'])
    expect((await me({ cookie, authorization })).status, authorization).toBe(200);
});

test('the database holds only the SHA-256 of a token', async () => {
  const rows = await api.database.db.selectFrom('sessions').selectAll().where('org_id', '=', owner.orgId).execute();
  expect(rows).toHaveLength(1);
  const stored = JSON.stringify(rows) + (rows[0]?.token_hash.toString('latin1') ?? '');
  expect(rows[0]?.token_hash).toHaveLength(32);
  expect(stored).not.toContain(owner.token);
  expect(rows[0]?.token_hash.equals(Buffer.from(owner.token, 'base64url'))).toBe(false);
});

test('a session that has expired signs nobody in', async () => {
  const late = await api.signedIn(owner.orgId, 'admin');
  await api.database.db
    .updateTable('sessions')
    .set({ expires_at: new Date(Date.now() - 1_000) })
    .where('user_id', '=', (q) => q.selectFrom('users').select('id').orderBy('id', 'desc').limit(1))
    .execute();
  expect((await late.get('/api/v1/me')).status).toBe(401);
});

test('signing out ends the session at once, and only that one', async () => {
  const [leaving, staying] = [await api.signedIn(owner.orgId, 'admin'), await api.signedIn(owner.orgId, 'admin')];
  expect((await leaving.get('/api/v1/me')).status).toBe(200);
  const out = await leaving.send('DELETE', '/api/v1/sessions/current');
  expect(out.status).toBe(204);
  expect(out.headers.getSetCookie().join()).toMatch(/tardigrade_session=;/);
  expect((await leaving.get('/api/v1/me')).status).toBe(401);
  expect((await staying.get('/api/v1/me')).status).toBe(200);
});

describe('a request that another site makes a browser send', () => {
  const post = (headers: Record<string, string>) =>
    call<{ code?: string }>(api.url, 'POST', '/api/v1/notes', {
      headers: { cookie: `tardigrade_session=${owner.token}`, ...headers },
      body: { title: 'Hello' },
    });

  test.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ] as Record<string, string>[])('changes nothing: %o', async (headers) => {
    const answer = await post(headers);
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const notes = await owner.get<{ items: unknown[] }>('/api/v1/notes');
    expect(notes.body.items).toEqual([]);
  });

  test('cannot sign anybody in', async () => {
    const answer = await call(api.url, 'POST', '/api/v1/sessions', {
      headers: { 'sec-fetch-site': 'cross-site' },
      body: { email: 'ben@beta.test', password: 'a long enough password' },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('may come from our own page, from the address bar, or from a program', async () => {
    expect((await post({ 'sec-fetch-site': 'same-origin' })).status).toBe(201);
    expect((await post({ 'sec-fetch-site': 'none' })).status).toBe(201);
    expect((await post({ origin: api.url })).status).toBe(201);
    expect((await post({})).status).toBe(201);
  });
});

test('a viewer reads, and every route that asks for a role tells a viewer which one', async () => {
  const viewer = await api.signedIn(owner.orgId, 'viewer');
  expect((await viewer.get('/api/v1/notes')).status).toBe(200);
  const guarded = (await operationsOf(api.url)).filter(({ operation }) => operation['x-role'] !== undefined);
  expect(guarded.length).toBeGreaterThanOrEqual(4);
  for (const { method, path, operation } of guarded) {
    const answer = await call(api.url, method, path.replaceAll(/\{\w+\}/g, '1'), {
      headers: { authorization: `Bearer ${viewer.token}` },
    });
    expect(answer.status, `${method} ${path}`).toBe(403);
    const detail = `This needs the role ${operation['x-role']}; you are signed in as viewer.`;
    expect(answer.body).toMatchObject({ code: 'forbidden', detail });
  }
});

test('no cache may store an answer of the API', async () => {
  expect((await owner.get('/api/v1/me')).headers.get('cache-control')).toBe('no-store');
  expect((await me({})).headers.get('cache-control')).toBe('no-store');
});

test('a user who was added a moment ago is known at once, however far the replica lags', async () => {
  for (let n = 0; n < 10; n++) {
    const fresh = await api.signedIn(owner.orgId, 'viewer');
    expect(await fresh.get('/api/v1/me')).toMatchObject({ status: 200, body: { user: { role: 'viewer' } } });
  }
});
