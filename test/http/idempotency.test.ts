import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { parsePosition } from '../../src/db/failover-position.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_KEY_MS } from '../../src/limits.ts';
import { PLATFORM_RETENTION } from '../../src/queue/retention.ts';
import { start } from '../../workers/api.ts';
import { type ApiClient, call } from '../api-client.ts';
import { until } from '../database.ts';
import { TEST_MODULES } from '../modules.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { startWorker, testEnvironment } from '../worker.ts';
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

async function keysKept(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from idempotency_keys where org_id = ${owner.orgId}`.execute(api.database.db);
  return rows[0]?.count ?? Number.NaN;
}

function positionOf({ headers }: { headers: Headers }): bigint {
  const position = headers.get('read-after') ?? 'none';
  expect(position).toMatch(/^\d+:[0-9A-F]+\/[0-9A-F]+$/);
  return parsePosition(position);
}

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

test.each([
  ['an answer that was kept', '/api/v1/notes', 201],
  ['one that was not', '/api/v1/writing/large', 409],
])(
  'a repetition has the position of the first write, so its author reads it, whichever process answered: %s',
  async (_, path, status) => {
    const key = randomUUID();
    const first = await post(path, key);
    const other = await startWorker('api', start, await testEnvironment(api.database), [
      ...TEST_MODULES,
      writing.module,
    ]);
    onTestFinished(async () => void (await other.stop()));
    // As after a crash: the first answer was lost with its position, and the other process knows nothing of the write.
    const ask = (method: string, at: string, body?: object) =>
      call(other.config.apiUrl, method, at, {
        body,
        headers: { authorization: `Bearer ${owner.token}`, ...(body && { 'idempotency-key': key }) },
      });
    expect((await ask('GET', '/api/v1/notes')).headers.get('read-after')).toBeNull();
    const again = await ask('POST', path, { title: 'Weekly' });
    expect(again.status).toBe(status);
    expect(positionOf(again)).toBeGreaterThanOrEqual(positionOf(first));
    // Also of a program that sends no position back.
    expect(positionOf(await ask('GET', '/api/v1/notes'))).toBeGreaterThanOrEqual(positionOf(first));
  },
);

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
  await post('/api/v1/writing/twice', key);
  const others = [
    await post('/api/v1/writing/twice', key, { title: 'Monthly' }),
    await post('/api/v1/writing/nothing', key),
    await post('/api/v1/writing/twice?again', key),
  ];
  for (const other of others) expect(other).toMatchObject({ status: 422, body: { code: 'key_reused' } });
  expect(await notes()).toBe(2);
});

test('a repetition that is refused because the first one was done meanwhile gets its answer', async () => {
  const key = randomUUID();
  const sent = [post('/api/v1/writing/once', key), post('/api/v1/writing/once', key)];
  await until('both wait', () => writing.turns.length === 2);
  const [first, second] = writing.turns.splice(0);
  first?.();
  const done = await Promise.race(sent);
  second?.();
  expect(done.status).toBe(200);
  for (const { status, body } of await Promise.all(sent)) expect([status, body]).toEqual([200, done.body]);
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

test.each(['/api/v1/writing/nothing', '/api/v1/writing/no-row'])(
  'where nothing was written no answer is kept: whoever sends keys fills no table with them: %s',
  async (path) => {
    const key = randomUUID();
    for (let n = 0; n < 3; n++) {
      const { status, headers } = await post(path, key);
      expect([status, headers.get('idempotent-replayed')]).toEqual([200, null]);
    }
    expect(await keysKept()).toBe(0);
    // So the key is still free.
    expect((await post('/api/v1/notes', key)).status).toBe(201);
    expect(await keysKept()).toBe(1);
  },
);

test('a large answer is not kept, but its work is not done twice', async () => {
  const key = randomUUID();
  expect((await post('/api/v1/writing/large', key)).status).toBe(200);
  expect(await post('/api/v1/writing/large', key)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect(await notes()).toBe(1);
});

test('with a new SECRET_KEY a repetition hears that it was done, not to make a new key', async () => {
  const key = randomUUID();
  await post('/api/v1/notes', key);
  const environment = {
    ...(await testEnvironment(api.database)),
    SECRET_KEY: 'another secret key, as long as it has to be',
  };
  const renewed = await startWorker('api', start, environment);
  onTestFinished(async () => void (await renewed.stop()));
  const headers = { authorization: `Bearer ${owner.token}`, 'idempotency-key': key };
  const ask = (title: string) => call(renewed.config.apiUrl, 'POST', '/api/v1/notes', { body: { title }, headers });
  const notKept = { status: 409, body: { code: 'conflict', detail: expect.stringContaining('was done before') } };
  expect(await ask('Weekly')).toMatchObject(notKept);
  expect(await ask('Monthly')).toMatchObject(notKept); // nobody can tell any more what it was sent with
  expect(await notes()).toBe(1);
});

test('who comes second while a large answer is on its way is told that it was not kept', async () => {
  const key = randomUUID();
  const sent = [post('/api/v1/writing/in-turn', key), post('/api/v1/writing/in-turn', key)];
  await until('both have found no answer', () => writing.turns.length === 2);
  writing.turns[0]?.();
  expect(await Promise.race(sent)).toMatchObject({ status: 200 });
  writing.turns[1]?.();
  const second = (await Promise.all(sent)).find(({ status }) => status !== 200);
  expect(second).toMatchObject({ status: 409, body: { code: 'conflict', type: '/problems/conflict' } });
  expect(second?.headers.get('content-type')).toContain('application/problem+json');
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
