import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { type ApiClient, call } from '../api-client.ts';
import { isWaitingForLock, until } from '../database.ts';
import { TEST_MODULES } from '../modules.ts';
import { type RunningApi, runApi, slowRequest } from '../running-api.ts';
import { createGatedModule } from './gated-module.ts';
import { createWritingModule } from './writing-module.ts';

/** No request is in a hurry but the one that the test is about: its answer cannot come before its time is over. */
const times = vi.hoisted(() => ({ requestMs: 60_000 }));
vi.mock('../../src/limits.ts', async (original) => {
  const limits = await original<typeof import('../../src/limits.ts')>();
  return Object.defineProperty({ ...limits }, 'REQUEST_MS', { get: () => times.requestMs });
});

const writing = createWritingModule();
const gated = createGatedModule();
let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi({}, [...TEST_MODULES, writing.module, gated.module]);
});
beforeEach(async () => {
  owner = await api.newOwner();
});
afterEach(() => {
  times.requestMs = 60_000;
  gated.open();
  writing.open();
});
afterAll(() => api.stop());

const TOO_LATE = { status: 503, body: { code: 'overloaded', detail: 'This took too long. Try again in a moment.' } };
const by = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  call<{ code: string }>(api.url, method, path, {
    body,
    headers: { authorization: `Bearer ${owner.token}`, ...headers },
  });
const inFlight = () => api.gauge('requests_in_flight');

async function inShort<T>(ask: () => Promise<T>, ms = 50): Promise<T> {
  times.requestMs = ms;
  try {
    return await ask();
  } finally {
    times.requestMs = 60_000;
  }
}

async function titles(): Promise<string[]> {
  const { rows } = await sql<{ title: string }>`
    select title from notes where org_id = ${owner.orgId} order by id`.execute(api.database.db);
  return rows.map(({ title }) => title);
}

test.each([
  ['GET', '/api/v1/gated', undefined],
  ['POST', '/api/v1/open', { any: 1 }],
])('a handler that hangs is answered when its time is over: %s %s', async (method, path, body) => {
  const answer = await inShort(() => by(method, path, body));
  expect(answer).toMatchObject(TOO_LATE);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  gated.open();
  await until('its place is free', () => inFlight() === 0);
});

test.each([
  ['PATCH', 'without a key', {}],
  ['POST', 'without a key', {}],
  ['POST', 'with a key', { 'idempotency-key': randomUUID() }],
])(
  'what waits for a lock is answered when its time is over, and is not written after it: %s %s',
  async (method, _, headers) => {
    const { body } = await owner.send<{ id: number }>('POST', '/api/v1/notes', { title: 'Before' });
    const path = method === 'PATCH' ? `/api/v1/notes/${body.id}` : '/api/v1/notes';
    const sent = { ...headers, ...(method === 'PATCH' && { 'if-match': '*' }) };
    await api.database.db.transaction().execute(async (transaction) => {
      // A note's author is in the audit log, whose rows have the organisation as their parent.
      await sql`select from notes where id = ${body.id} for update`.execute(transaction);
      await sql`select from organisations where id = ${owner.orgId} for update`.execute(transaction);
      expect(await inShort(() => by(method, path, { title: 'After' }, sent))).toMatchObject(TOO_LATE);
    });
    await until('its work has ended', () => inFlight() === 0);
    expect(await titles()).toEqual(['Before']);
    expect((await by(method, path, { title: 'Again' }, sent)).status).toBeLessThan(300);
  },
);

test.each([
  ['without a key', {}],
  ['with a key', { 'idempotency-key': randomUUID() }],
])('a handler that goes on after its answer writes nothing more: %s', async (_, headers) => {
  const hanging = inShort(() => owner.send('POST', '/api/v1/writing/late', { title: 'Late' }, headers));
  expect(await hanging).toMatchObject(TOO_LATE);
  writing.open();
  await until('its work has ended', () => inFlight() === 0);
  expect(await titles()).toEqual([]);
});

test('what a handler with a key wrote before its time was over is taken back, while it still hangs', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const late = await inShort(() => owner.send('POST', '/api/v1/writing/waits', { title: 'Late' }, key));
  expect(late).toMatchObject(TOO_LATE);
  await until('the key is free', async () => {
    const again = await owner.send('POST', '/api/v1/notes', { title: 'Again' }, key);
    return again.status === 201;
  });
  writing.open();
  await until('its work has ended', () => inFlight() === 0);
  expect(await titles()).toEqual(['Again']);
});

test('what is being committed when its time is over is answered as what it comes to', async () => {
  const { db } = api.database;
  await sql`create function wait_for_lock() returns trigger language plpgsql as
    $$ begin perform set_config('lock_timeout', '0', true), pg_advisory_xact_lock(7); return null; end $$`.execute(db);
  await sql`create constraint trigger waits after insert on notes deferrable initially deferred
    for each row execute function wait_for_lock()`.execute(db);
  onTestFinished(() => void sql`drop function wait_for_lock cascade`.execute(db));
  const untilItCommits = async () => {
    const written = await db.transaction().execute(async (transaction) => {
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(transaction);
      await sql`select pg_advisory_xact_lock(7)`.execute(transaction);
      const asked = by('POST', '/api/v1/notes', { title: 'Committed' });
      await until('it is being committed', () => isWaitingForLock(db));
      // One that came later is out of time meanwhile.
      expect(await by('POST', '/api/v1/open', { any: 1 })).toMatchObject(TOO_LATE);
      return { asked };
    });
    expect((await written.asked).status).toBe(201);
  };
  await inShort(untilItCommits, 5_000); // in which a busy machine gets as far as the commit
  expect(await titles()).toEqual(['Committed']);
});

test('a file that is received may take longer', async () => {
  times.requestMs = 1;
  const headers = { authorization: `Bearer ${owner.token}`, 'content-type': 'text/csv' };
  const file = slowRequest(api.url, 'PUT', '/api/v1/file', headers);
  file.flush();
  await until('it is being received', () => api.gauge('uploads_in_flight') === 1);
  // One that came later is out of time meanwhile.
  expect(await owner.send('POST', '/api/v1/open', { any: 1 })).toMatchObject(TOO_LATE);
  file.end('name,email\n');
  expect((await file.answer).status).toBe(200);
});
