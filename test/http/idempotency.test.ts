import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_KEY_MS } from '../../src/limits.ts';
import { PLATFORM_RETENTION } from '../../src/queue/retention.ts';
import type { ApiClient } from '../api-client.ts';
import { until } from '../database.ts';
import { TEST_MODULES } from '../modules.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { createWritingModule } from './writing-module.ts';

const writing = createWritingModule();
let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi({}, [...TEST_MODULES, writing.module]);
});
beforeEach(async () => {
  owner = await api.newOwner();
});
afterEach(() => writing.open());
afterAll(() => api.stop());

const post = (path: string, key: string, body: object = { title: 'Weekly' }, by = owner) =>
  by.send<{ id: number; code: string; detail: string }>('POST', path, body, { 'idempotency-key': key });

async function notes(of = owner): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from notes where org_id = ${of.orgId}`.execute(api.database.db);
  return rows[0]?.count ?? Number.NaN;
}

test('a request that is sent again is not done again, and gets the first answer', async () => {
  const key = randomUUID();
  const first = await post('/api/v1/notes', key);
  const again = await post('/api/v1/notes', key);
  expect(first.status).toBe(201);
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  expect(again).toMatchObject({ status: 201, body: first.body });
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  for (const name of ['etag', 'content-type']) expect(again.headers.get(name)).toBe(first.headers.get(name));
  expect(await notes()).toBe(1);
});

test('a write with a key has a position, so its author reads it', async () => {
  const { body, headers } = await post('/api/v1/notes', randomUUID());
  expect(headers.get('read-after')).toMatch(/^\d+:[0-9A-F]+\/[0-9A-F]+$/);
  expect((await owner.get(`/api/v1/notes/${body.id}`)).status).toBe(200);
});

test('of many that are sent at once one is done', async () => {
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 30 }, () => post('/api/v1/notes', key)));
  for (const { status } of answers) expect([201, 409]).toContain(status);
  expect(new Set(answers.flatMap(({ status, body }) => (status === 201 ? body.id : []))).size).toBe(1);
  expect(await notes()).toBe(1);
});

test('while the first is worked on, a second is told to wait, and gets its answer afterwards', async () => {
  const key = randomUUID();
  const first = post('/api/v1/writing/waits', key);
  await until('the first has written', () => writing.count.written === 1);
  const second = await post('/api/v1/writing/waits', key);
  expect(second).toMatchObject({ status: 409, body: { code: 'in_progress' } });
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
  writing.open();
  expect((await first).status).toBe(201);
  expect((await post('/api/v1/writing/waits', key)).headers.get('idempotent-replayed')).toBe('true');
  expect(await notes()).toBe(1);
});

test('what was written is not committed before the answer is', async () => {
  const first = post('/api/v1/writing/waits', randomUUID());
  await until('it has written', () => writing.count.written === 1);
  expect(await notes()).toBe(0);
  writing.open();
  await first;
  expect(await notes()).toBe(1);
});

test('an error after a write takes the write back, and the key can be used again', async () => {
  const key = randomUUID();
  expect(await post('/api/v1/writing/fails', key)).toMatchObject({ status: 409, body: { detail: 'After the write.' } });
  expect(await notes()).toBe(0);
  expect((await post('/api/v1/notes', key)).status).toBe(201);
});

test('an answer that cannot be kept leaves nothing of the work', async () => {
  await sql`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'full'; end $$`.execute(
    api.database.db,
  );
  await sql`create trigger refuse before insert on idempotency_keys execute function refuse()`.execute(api.database.db);
  const answer = await post('/api/v1/notes', randomUUID());
  await sql`drop function refuse cascade`.execute(api.database.db);
  expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
  expect(await notes()).toBe(0);
  expect((await post('/api/v1/notes', randomUUID())).status).toBe(201);
});

test('a validation error is not kept', async () => {
  const key = randomUUID();
  expect((await post('/api/v1/notes', key, { title: '' })).status).toBe(400);
  expect((await post('/api/v1/notes', key)).status).toBe(201);
});

test('fields in another order are the same request: some languages write them as it comes', async () => {
  const key = randomUUID();
  const first = await post('/api/v1/notes', key, { title: 'Weekly', body: 'Bring figures.' });
  const again = await post('/api/v1/notes', key, { body: 'Bring figures.', title: 'Weekly' });
  expect(again).toMatchObject({ status: 201, body: first.body });
  expect(await notes()).toBe(1);
});

test('the same key with other parameters, or at another address, is refused', async () => {
  const key = randomUUID();
  await post('/api/v1/notes', key);
  const others = [
    await post('/api/v1/notes', key, { title: 'Monthly' }),
    await post('/api/v1/writing/nothing', key),
    await post('/api/v1/notes?again', key),
  ];
  for (const other of others) expect(other).toMatchObject({ status: 422, body: { code: 'key_reused' } });
  expect(await notes()).toBe(1);
});

test('a key belongs to its user: colleagues and other organisations can use the same', async () => {
  const key = randomUUID();
  const colleague = await api.signedIn(owner.orgId, 'admin');
  const stranger = await api.newOwner();
  const answers = [];
  for (const by of [owner, colleague, stranger]) answers.push(await post('/api/v1/notes', key, undefined, by));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(3);
});

test('several writes of a handler are one, and it reads them before they are committed', async () => {
  const key = randomUUID();
  expect(await post('/api/v1/writing/twice', key)).toMatchObject({ status: 200, body: { seen: 2 } });
  expect(await post('/api/v1/writing/twice', key)).toMatchObject({ status: 200, body: { seen: 2 } });
  expect(await notes()).toBe(2);
});

test('what changes nothing is answered the same, too', async () => {
  const key = randomUUID();
  const first = await post('/api/v1/writing/nothing', key);
  expect((await post('/api/v1/writing/nothing', key)).body).toEqual(first.body);
  expect((await post('/api/v1/writing/nothing', randomUUID())).body).not.toEqual(first.body);
});

test('a large answer is not kept, but its work is not done twice', async () => {
  const key = randomUUID();
  expect((await post('/api/v1/writing/large', key)).status).toBe(200);
  expect(await post('/api/v1/writing/large', key)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect(await notes()).toBe(1);
});

test.each([[''], ['two words'], ['ä'], ['x'.repeat(IDEMPOTENCY_KEY_CHARS_MAX + 1)]])(
  'an invalid key is refused: %s',
  async (key) => {
    const headers = { 'idempotency-key': Buffer.from(key).toString('latin1') };
    const answer = await owner.send('POST', '/api/v1/notes', { title: 'Weekly' }, headers);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect(await notes()).toBe(0);
  },
);

test('the table shows neither keys nor answers', async () => {
  const key = randomUUID();
  await post('/api/v1/notes', key, { title: 'Canary' });
  const { rows } = await sql<{ row: string; body: string }>`
    select idempotency_keys::text as row, encode(body, 'escape') as body from idempotency_keys
    where org_id = ${owner.orgId}`.execute(api.database.db);
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain('Canary');
  expect(JSON.stringify(rows)).not.toContain(key);
});

test('after a day a key is new again, and its old answer is deleted', async () => {
  const { forget } = PLATFORM_RETENTION['idempotency_keys'] as Extract<
    (typeof PLATFORM_RETENTION)[string],
    { deleted: string }
  >;
  const key = randomUUID();
  const [, forgotten] = [await post('/api/v1/notes', key), await post('/api/v1/notes', randomUUID())];
  const age = () =>
    sql`update idempotency_keys set answered_at = now() - make_interval(secs => ${IDEMPOTENCY_KEY_MS / 1_000 + 1})
      where org_id = ${owner.orgId}`.execute(api.database.db);
  await age();
  const again = await post('/api/v1/notes', key);
  expect(again.status).toBe(201);
  expect(again.headers.get('idempotent-replayed')).toBeNull();
  expect(forgotten.status).toBe(201);
  await forget(api.database.database, new AbortController().signal);
  const left = await api.database.database
    .primary(EVERY_ORGANISATION)
    .selectFrom('idempotency_keys')
    .where('org_id', '=', owner.orgId)
    .select('caller')
    .execute();
  expect(left).toHaveLength(1);
});
