import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Db } from '../../src/db/database.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { OUTBOX_BATCH_ROWS, OUTBOX_RETRY_MS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import {
  relayOutbox,
  reportUnhandledTopics,
  type TopicHandler,
  unhandledTopics,
  writeToOutbox,
} from '../../src/queue/transactional-outbox.ts';
import { asAdmin, createTestDatabase, type TestDatabase } from '../database.ts';
import { addOrganisation } from '../organisation.ts';

declare module '../../src/queue/transactional-outbox.ts' {
  interface Topics {
    'test.happened': { readonly n: number };
    'test.retired': { readonly n: number };
  }
}

type Handler = TopicHandler<'test.happened'>;

const log = createLog('test', 'silent');
let on: TestDatabase;
let orgId: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  orgId = await addOrganisation(on.db);
});
afterAll(() => on.close());
beforeEach(async () => {
  await on.db.deleteFrom('outbox').execute();
  await on.db.deleteFrom('note_days').execute();
});
afterEach(() => vi.restoreAllMocks());

test('what was committed is delivered once, in the order in which it was written', async () => {
  await write(3, 1, 2);
  expect(await delivered()).toEqual([3, 1, 2]);
  expect(await delivered()).toEqual([]);
});

test('what was rolled back is never delivered', async () => {
  const rolledBack = on.database.write(EVERY_ORGANISATION, async (transaction) => {
    await writeToOutbox(transaction, { orgId, topic: 'test.happened', payload: { n: 1 } });
    throw new Error('the caller changed its mind');
  });
  await expect(rolledBack).rejects.toThrow('changed its mind');
  expect(await delivered()).toEqual([]);
});

test('two relays at once share the work, and each event is delivered once', async () => {
  const written = OUTBOX_BATCH_ROWS + 50;
  await write(...Array.from({ length: written }, (_, n) => n));
  const { promise: bothHold, resolve: letGo } = Promise.withResolvers<void>();
  const batches: number[][] = [];
  const relayHolding = () =>
    relay(async (events) => {
      batches.push(events.map(({ payload }) => payload.n));
      // Neither commits before both have theirs: a relay that waited for the other's rows would never get here.
      if (batches.length === 2) letGo();
      await bothHold;
    });
  const counts = await Promise.all([relayHolding(), relayHolding()]);
  expect(counts.sort((a, b) => a - b)).toEqual([50, OUTBOX_BATCH_ROWS]);
  expect(batches.flat()).toHaveLength(written);
  expect(new Set(batches.flat()).size).toBe(written);
});

test('an event that fails does not block the others of its batch', async () => {
  await write(1, 2, 3);
  const done: number[] = [];
  const count = await relay(async (events) => {
    refuse(2, events);
    done.push(...events.map(({ payload }) => payload.n));
  });
  expect(count).toBe(2);
  expect(done).toEqual([1, 3]);
  expect(await waiting()).toEqual([{ n: 2, attempts: 1 }]);
});

test('an event that fails waits longer after each attempt, and is not attempted before that', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  await write(1);
  for (const attempt of [1, 2, 3]) {
    const before = await databaseTime();
    await relay(async (events) => refuse(1, events));
    const { rows } = await sql<{ due_at: string }>`select due_at from outbox`.execute(on.db);
    const waitMs = 0.5 * OUTBOX_RETRY_MS.base * 2 ** (attempt - 1);
    const dueMs = Date.parse(rows[0]?.due_at ?? '');
    expect(dueMs).toBeGreaterThanOrEqual(before + waitMs - 1);
    expect(dueMs).toBeLessThanOrEqual((await databaseTime()) + waitMs);
    expect(await waiting()).toEqual([{ n: 1, attempts: attempt }]);

    await sql`update outbox set due_at = now() + interval '1 hour'`.execute(on.db);
    expect(await delivered()).toEqual([]);
    await sql`update outbox set due_at = now()`.execute(on.db);
  }
  expect(await delivered()).toEqual([1]);
});

test('what a handler wrote for a failed event is undone, and what it wrote for the others stays', async () => {
  await write(1, 2, 3);
  const count: Handler = async (events, transaction) => {
    await addToCount(transaction, events.length);
    refuse(2, events);
  };
  expect(await relay(count)).toBe(2);
  expect(await counted()).toBe(2);
});

test('a handler whose statement fails spoils neither the delivery of the others nor their own retry', async () => {
  await write(1, 2);
  const divide: Handler = async (events, transaction) => {
    for (const { payload } of events) await sql`select 1 / (${payload.n}::int - 2)`.execute(transaction);
    await addToCount(transaction, events.length);
  };
  expect(await relay(divide)).toBe(1);
  expect(await counted()).toBe(1);
  expect(await waiting()).toEqual([{ n: 2, attempts: 1 }]);
});

test('what a handler writes with the transaction happens exactly once, although the connection dies before COMMIT', async () => {
  await write(1);
  let runs = 0;
  const count: Handler = async (events, transaction) => {
    await addToCount(transaction, events.length);
    if (++runs > 1) return;
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
    await asAdmin((client) => client.query('select pg_terminate_backend($1, 5000)', [rows[0]?.pid]));
  };
  expect(await relay(count)).toBe(1);
  expect(runs).toBe(2);
  expect(await counted()).toBe(1);
  expect(await waiting()).toEqual([]);
});

test('an event whose topic has no handler stays, and is reported by name', async () => {
  await write(1);
  await writeAs('test.retired', 2, 3);
  expect(await delivered()).toEqual([1]);
  expect(await waiting()).toEqual([
    { n: 2, attempts: 0 },
    { n: 3, attempts: 0 },
  ]);

  const handlers = { 'test.happened': async () => undefined };
  expect(await unhandledTopics(on.database, handlers)).toEqual([{ topic: 'test.retired', events: 2 }]);
  const reported = vi.spyOn(log, 'error');
  await reportUnhandledTopics(on.database, handlers, log);
  expect(reported).toHaveBeenCalledExactlyOnceWith(
    { topic: 'test.retired', events: 2 },
    expect.stringContaining('without a handler'),
  );
});

test('nothing is reported when every topic has a handler', async () => {
  await write(1);
  await reportUnhandledTopics(on.database, { 'test.happened': async () => undefined }, failOnError());
  expect(await unhandledTopics(on.database, { 'test.happened': async () => undefined })).toEqual([]);
});

function write(...numbers: number[]): Promise<unknown> {
  return writeAs('test.happened', ...numbers);
}

function writeAs(topic: 'test.happened' | 'test.retired', ...numbers: number[]): Promise<unknown> {
  return on.database.write(EVERY_ORGANISATION, async (transaction) => {
    for (const n of numbers) await writeToOutbox(transaction, { orgId, topic, payload: { n } });
  });
}

function relay(handler: Handler): Promise<number> {
  return relayOutbox(on.database, { 'test.happened': handler }, log);
}

async function delivered(): Promise<number[]> {
  const seen: number[] = [];
  await relay(async (events) => void seen.push(...events.map(({ payload }) => payload.n)));
  return seen;
}

async function waiting() {
  const { rows } = await sql<{ n: number; attempts: number }>`
    select (payload->>'n')::int as n, attempts from outbox order by id`.execute(on.db);
  return rows;
}

function refuse(refused: number, events: Parameters<Handler>[0]): void {
  if (events.some(({ payload }) => payload.n === refused)) throw new Error('on purpose');
}

/** A row that the relay's role may write. */
async function addToCount(transaction: Db, events: number): Promise<void> {
  await sql`
    insert into note_days (org_id, day, written) values (${orgId}, '2026-01-01', ${events})
    on conflict (org_id, day) do update set written = note_days.written + excluded.written`.execute(transaction);
}

async function counted(): Promise<number> {
  const { rows } = await sql<{ written: number }>`select written from note_days`.execute(on.db);
  return rows[0]?.written ?? 0;
}

async function databaseTime(): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`.execute(on.db);
  return rows[0]?.ms ?? Number.NaN;
}

function failOnError() {
  const strict = createLog('test', 'silent');
  vi.spyOn(strict, 'error').mockImplementation(() => expect.unreachable());
  return strict;
}
