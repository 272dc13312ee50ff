import { createDecipheriv, hkdfSync } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiClient, createClient } from '../api-client.ts';
import { operationsOf } from '../openapi.ts';
import { type RunningApi, runApi } from '../running-api.ts';

interface Created {
  id: number;
  key: string;
  prefix: string;
}

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi({ REQUESTS_PER_MINUTE: '120' });
  owner = await api.newOwner();
});
afterAll(() => api.stop());

async function create(scope: 'read' | 'write', by = owner, more = {}): Promise<{ made: Created; client: ApiClient }> {
  const { status, body } = await by.send<Created>('POST', '/api/v1/api-keys', {
    name: `a ${scope} key`,
    scope,
    ...more,
  });
  expect(status).toBe(201);
  return { made: body, client: createClient(api.url, body.key, by.orgId) };
}

test('a key is shown once; the database has its SHA-256, and the list its prefix', async () => {
  const { made, client } = await create('read');
  expect(made.key).toMatch(/^tardigrade_[0-9a-f]{8}_[\w-]{43}$/);
  expect((await client.get('/api/v1/me')).body).toMatchObject({ organisation: { id: owner.orgId } });
  const { rows } = await sql<{
    row: string;
  }>`select to_jsonb(k)::text as row from api_keys k where id = ${made.id}`.execute(api.database.db);
  expect(rows[0]?.row).not.toContain(made.key.slice(made.prefix.length + 1));
  const list = JSON.stringify((await owner.get('/api/v1/api-keys')).body);
  expect(list).toContain(made.prefix);
  expect(list).not.toContain(made.key);
});

test('a repetition with the same Idempotency-Key gets the same key, of which the database shows nothing', async () => {
  const guessable = { 'idempotency-key': '1' };
  const body = { name: 'made twice', scope: 'read' };
  const [first, again] = [
    await owner.send<Created>('POST', '/api/v1/api-keys', body, guessable),
    await owner.send<Created>('POST', '/api/v1/api-keys', body, guessable),
  ];
  expect(again).toMatchObject({ status: 201, body: first.body });
  const { rows } = await sql<{ body: Buffer }>`
    select body from idempotency_keys where org_id = ${owner.orgId}`.execute(api.database.db);
  const [{ body: stored }] = rows as [{ body: Buffer }];
  expect(stored.includes(first.body.key) || stored.includes(first.body.prefix)).toBe(false);
  // Nor does it to those who guess the Idempotency-Key, and read the source.
  const decipher = createDecipheriv(
    'aes-256-gcm',
    Buffer.from(hkdfSync('sha256', '1', '', 'idempotent answer', 32)),
    stored.subarray(0, 12),
  );
  decipher.setAuthTag(stored.subarray(-16));
  decipher.update(stored.subarray(12, -16));
  expect(() => decipher.final()).toThrow();
  const made = await sql`select from api_keys where org_id = ${owner.orgId} and name = ${body.name}`.execute(
    api.database.db,
  );
  expect(made.rows).toHaveLength(1);
});

test('a read key changes nothing, whatever its owner may do; a write key does', async () => {
  const { client: read } = await create('read');
  const { client: write } = await create('write');
  const note = { title: 'Hello' };
  expect((await read.get('/api/v1/notes')).status).toBe(200);
  expect(await read.send('POST', '/api/v1/notes', note)).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('scope write') },
  });
  expect((await write.send('POST', '/api/v1/notes', note)).status).toBe(201);
});

test('no key reaches what is for people only, and the document says so for each route', async () => {
  const { client } = await create('write');
  const operations = await operationsOf(api.url);
  const people = operations.filter(({ operation }) => operation['x-scope'] === 'none');
  expect(people.map(({ method, path }) => `${method} ${path}`)).toEqual(
    expect.arrayContaining([
      'POST /api/v1/api-keys',
      'DELETE /api/v1/users/{id}',
      'PUT /api/v1/password',
      'GET /api/v1/sessions',
    ]),
  );
  for (const { method, path } of people) {
    const address = path.replace('{id}', '1');
    const { status } = method === 'GET' ? await client.get(address) : await client.send(method as 'POST', address, {});
    expect(status, `${method} ${path}`).toBe(403);
  }
  const reads = operations.filter(({ operation }) => operation['x-scope'] === 'read');
  expect(reads.filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('a key has no more than the role of its owner, as it is now', async () => {
  const admin = await api.signedIn(owner.orgId, 'admin');
  const { body: me } = await admin.get<{ user: { id: number } }>('/api/v1/me');
  const { client } = await create('read', admin);
  expect((await client.get('/api/v1/audit-log')).status).toBe(200);
  const seen = { 'if-match': '"admin"' };
  expect((await owner.send('PATCH', `/api/v1/users/${me.user.id}`, { role: 'viewer' }, seen)).status).toBe(200);
  expect((await client.get('/api/v1/audit-log')).status).toBe(403);
});

test('a key that is revoked or has expired is refused at once', async () => {
  const { made, client } = await create('read');
  expect((await client.get('/api/v1/me')).status).toBe(200);
  expect((await owner.send('DELETE', `/api/v1/api-keys/${made.id}`)).status).toBe(204);
  expect((await client.get('/api/v1/me')).status).toBe(401);
  const { made: old, client: late } = await create('read', owner, { expiresInDays: 1 });
  await sql`update api_keys set expires_at = now() where id = ${old.id}`.execute(api.database.db);
  expect((await late.get('/api/v1/me')).status).toBe(401);
});

test('its last use is noted, and what it does is in the log under its prefix', async () => {
  const { made, client } = await create('read');
  await client.get('/api/v1/exports/audit-log.csv');
  const find = async () => {
    const { body } = await owner.get<{ items: { id: number; lastUsedAt: string | null }[] }>('/api/v1/api-keys');
    return body.items.find(({ id }) => id === made.id);
  };
  await expect.poll(async () => (await find())?.lastUsedAt).toEqual(expect.any(String));
  const log = await owner.get<{ items: { apiKey: string }[] }>('/api/v1/audit-log?action=audit-log.exported');
  expect(log.body.items[0]?.apiKey).toBe(made.prefix);
});

test('each key has a budget of its own, beside its owner’s', async () => {
  const party = await api.newOwner();
  const { client } = await create('read', party);
  let last = 0;
  for (let n = 0; n < 121 && last !== 429; n++) last = (await client.get('/api/v1/me')).status;
  expect(last).toBe(429);
  expect((await party.get('/api/v1/me')).status).toBe(200);
  const { client: second } = await create('read', party);
  expect((await second.get('/api/v1/me')).status).toBe(200);
});

test('made-up keys are refused like made-up sessions', async () => {
  for (const key of [`tardigrade_00000000_${'A'.repeat(43)}`, 'tardigrade_x', `other_00000000_${'A'.repeat(43)}`])
    expect((await createClient(api.url, key, 1).get('/api/v1/me')).status).toBe(401);
});
