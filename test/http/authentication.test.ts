import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiClient, call } from '../api-client.ts';
import { type RunningApi, runApi } from '../running-api.ts';

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.register();
});
afterAll(() => api.stop());

const me = (headers: Record<string, string>) => call(api.url, 'GET', '/api/me', { headers });
const asOwner = () => ({ authorization: `Bearer ${owner.token}` });

test('without a token, or with one that is not ours, everything below /api says 401 and what to do', async () => {
  const wrong = 'A'.repeat(43);
  for (const headers of [
    {},
    { authorization: `Bearer ${wrong}` },
    { authorization: `Basic ${owner.token}` },
    { cookie: `session=${wrong}` },
    { cookie: 'session=' },
  ] as Record<string, string>[]) {
    const answer = await me(headers);
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code: 'unauthenticated', detail: 'Sign in first: POST /api/sessions.' });
  }
});

test('programs come with a bearer token, browsers with a cookie that scripts cannot read', async () => {
  expect(await me(asOwner())).toMatchObject({ status: 200, body: { organisation: { id: owner.orgId } } });
  expect(await me({ cookie: `session=${owner.token}` })).toMatchObject({ status: 200 });

  const signedIn = await call<{ user: { email: string } }>(api.url, 'POST', '/api/registrations', {
    headers: {},
    body: { organisation: 'Beta', name: 'Ben', email: 'ben@beta.test', password: 'a long enough password' },
  });
  const cookie = signedIn.headers.getSetCookie().find((line) => line.startsWith('session='));
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Lax/);
  expect(cookie).toMatch(/Path=\//);
});

test('the database knows a token only by its SHA-256', async () => {
  const rows = await api.database.db.selectFrom('sessions').selectAll().where('org_id', '=', owner.orgId).execute();
  expect(rows).toHaveLength(1);
  const stored = JSON.stringify(rows) + (rows[0]?.token_hash.toString('latin1') ?? '');
  expect(rows[0]?.token_hash).toHaveLength(32);
  expect(stored).not.toContain(owner.token);
  expect(rows[0]?.token_hash.equals(Buffer.from(owner.token, 'base64url'))).toBe(false);
});

test('a session that has expired is none', async () => {
  const late = await api.signedIn(owner.orgId, 'admin');
  await api.database.db
    .updateTable('sessions')
    .set({ expires_at: new Date(Date.now() - 1_000) })
    .where('user_id', '=', (q) => q.selectFrom('users').select('id').orderBy('id', 'desc').limit(1))
    .execute();
  expect((await late.get('/api/me')).status).toBe(401);
});

test('signing out ends the session at once, and only that one', async () => {
  const [leaving, staying] = [await api.signedIn(owner.orgId, 'admin'), await api.signedIn(owner.orgId, 'admin')];
  expect((await leaving.get('/api/me')).status).toBe(200);
  const out = await leaving.send('DELETE', '/api/sessions/current');
  expect(out.status).toBe(204);
  expect(out.headers.getSetCookie().join()).toMatch(/session=;/);
  expect((await leaving.get('/api/me')).status).toBe(401);
  expect((await staying.get('/api/me')).status).toBe(200);
});

describe('a request that another site makes a browser send', () => {
  const draft = { name: 'Weekly', subject: 'Hello', body: 'Hello' };
  const post = (headers: Record<string, string>) =>
    call<{ code?: string }>(api.url, 'POST', '/api/campaigns', {
      headers: { cookie: `session=${owner.token}`, ...headers },
      body: draft,
    });

  test.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ] as Record<string, string>[])('changes nothing: %o', async (headers) => {
    const answer = await post(headers);
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const campaigns = await owner.get<{ items: unknown[] }>('/api/campaigns');
    expect(campaigns.body.items).toEqual([]);
  });

  test('cannot sign anybody in either', async () => {
    const answer = await call(api.url, 'POST', '/api/sessions', {
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

test('a viewer reads, and is told which role it takes to change something', async () => {
  const viewer = await api.signedIn(owner.orgId, 'viewer');
  expect((await viewer.get('/api/employees')).status).toBe(200);
  for (const [method, path, body] of [
    ['POST', '/api/imports', { fileName: 'a.csv' }],
    ['POST', '/api/campaigns', { name: 'a', subject: 'a', body: 'a' }],
    ['POST', '/api/campaigns/1/launch', undefined],
    ['POST', '/api/campaigns/1/cancel', undefined],
  ] as const) {
    const answer = await viewer.send(method, path, body);
    expect(answer.status, path).toBe(403);
    expect(answer.body).toMatchObject({ detail: 'This needs the role admin; you are signed in as viewer.' });
  }
  for (const path of ['/api/operations', '/api/exports/answers.csv']) {
    expect((await viewer.get(path)).status, path).toBe(403);
  }
});

test('what is signed in is never kept by a cache', async () => {
  expect((await owner.get('/api/me')).headers.get('cache-control')).toBe('no-store');
  expect((await me({})).headers.get('cache-control')).toBe('no-store');
});

test('who was added a moment ago is known at once, whatever the replica lags', async () => {
  for (let n = 0; n < 10; n++) {
    const fresh = await api.signedIn(owner.orgId, 'viewer');
    expect(await fresh.get('/api/me')).toMatchObject({ status: 200, body: { user: { role: 'viewer' } } });
  }
});
