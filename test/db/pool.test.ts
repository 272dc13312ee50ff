import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { openPool } from '../../src/db/pool.ts';
import type { Db } from '../../src/db/schema.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import {
  IDLE_IN_TRANSACTION_MS,
  LOCK_MS,
  POOL_ACQUIRE_MS,
  POOL_WAITING_MAX,
  RETRY_AFTER_SECONDS,
  STATEMENT_MS,
} from '../../src/limits.ts';
import { createMetrics, type Metrics } from '../../src/process/metrics.ts';
import { asAdmin, createTestDatabase, type TestDatabase, until } from '../database.ts';
import { createQuietLog } from '../process/quiet-log.ts';

const BUSY = { name: 'AppError', code: 'overloaded', retryAfterSeconds: RETRY_AFTER_SECONDS };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
});
afterAll(() => database.close());

test('a line that is full refuses the next caller at once; the line itself gives up in time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { db, metrics } = open(1);
  const held = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  const holder = db.connection().execute(() => {
    taken.resolve();
    return held.promise;
  });
  await taken.promise;
  const line = Array.from({ length: POOL_WAITING_MAX }, () => answer(db));
  await untilStill(() => metrics.report().gauges['pool_primary_waiting'] === POOL_WAITING_MAX);

  await expect(answer(db)).rejects.toMatchObject(BUSY); // while no time passes
  vi.advanceTimersByTime(POOL_ACQUIRE_MS - 1);
  expect(metrics.report().gauges['pool_primary_waiting']).toBe(POOL_WAITING_MAX);
  vi.advanceTimersByTime(1);
  const outcomes = await Promise.allSettled(line);
  const reasons = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : outcome.value));
  expect(reasons).toHaveLength(POOL_WAITING_MAX);
  for (const reason of reasons) expect(reason).toMatchObject(BUSY);

  held.resolve();
  await holder;
  expect(await answer(db)).toBe(1); // nobody who gave up holds a place
});

test('a busy pool serves whoever waits, as soon as a connection is free', async () => {
  const { db } = open(1);
  expect(await Promise.all(Array.from({ length: 50 }, () => answer(db)))).toEqual(Array(50).fill(1));
});

test('every connection carries its limits and its name', async () => {
  const { db } = open(1);
  const { rows } = await sql<{ name: string; setting: string }>`
    select name, setting from pg_settings
    where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'application_name')
    order by name`.execute(db);
  expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
    application_name: 'tardigrade-test',
    idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
    lock_timeout: String(LOCK_MS),
    statement_timeout: String(STATEMENT_MS.api),
  });
});

test('statements and rows are counted, in transactions too, but for what the clock asks', async () => {
  const { db, metrics } = open(1);
  const three = sql`select * from generate_series(1, 3)`;
  await three.execute(db);
  await db.transaction().execute((transaction) => three.execute(transaction));
  await db.connection().execute((connection) => three.execute(connection));
  await three.execute(db.withoutPlugins());
  const text = await metrics.text();
  expect(text).toMatch(/^tardigrade_queries_primary_total\{process="test"\} 3$/m);
  expect(text).toMatch(/^tardigrade_rows_primary_total\{process="test"\} 9$/m);
});

test('numbers are numbers, times ISO 8601 with every microsecond, days are days', async () => {
  const { db } = open(1);
  const { rows } = await sql`
    select 9007199254740991::bigint as big, null::bigint as none,
           '2026-11-21 07:02:17.123456+01'::timestamptz as at, '2026-11-21 06:02:17Z'::timestamptz as full_second,
           '2026-02-28'::date as day, count(*) as count, '{"a":1}'::jsonb as json`.execute(db);
  expect(rows).toEqual([
    {
      big: 9_007_199_254_740_991,
      none: null,
      at: '2026-11-21T06:02:17.123456Z',
      full_second: '2026-11-21T06:02:17Z',
      day: '2026-02-28',
      count: 1,
      json: { a: 1 },
    },
  ]);
});

test('a number that JavaScript would round is an error, not a wrong number', async () => {
  const { db } = open(1);
  await expect(sql`select 9007199254740993::bigint as big`.execute(db)).rejects.toThrow(
    /9007199254740993 does not fit/,
  );
  expect(await answer(db)).toBe(1);
});

test.each(['Europe/Paris', 'Asia/Kolkata', 'America/St_Johns'])(
  'times are UTC to the microsecond, even from a server that lives in %s',
  async (zone) => {
    const { db } = open(1, `${database.url}?options=${encodeURIComponent(`-c timezone=${zone}`)}`);
    const { rows } = await sql`select '2026-11-21 06:02:17.123456Z'::timestamptz as at`.execute(db);
    expect(rows).toEqual([{ at: '2026-11-21T06:02:17.123456Z' }]);
  },
);

test('connections that break, idle or in use, end no process: the pool makes new ones', async () => {
  const { db, warn } = open(2);
  const inUse = db.connection().execute(async (connection) => {
    await answer(connection);
    await killAll();
    return answer(connection);
  });
  await expect(inUse).rejects.toThrow();
  await until('it answers again', () => answer(db).catch(() => 0));

  await killAll();
  await until('the loss of the idle one is in the log', () =>
    warn.mock.calls.some(([, message]) => message === 'idle database connection lost'),
  );
  expect(await answer(db)).toBe(1);

  // What goes to the log is the error, not the connection that pg hangs on it.
  const logged = JSON.stringify(warn.mock.calls.map(([{ err }]) => pino.stdSerializers.err(err)));
  expect(logged).toContain('terminating connection');
  expect(logged).not.toMatch(/connectionParameters|secretKey/);
  expect(logged).not.toContain(new URL(database.url).password);
});

function open(
  max: number,
  url = database.url,
): { db: Db; metrics: Metrics; warn: ReturnType<typeof createQuietLog>['warn'] } {
  const metrics = createMetrics('test');
  const { log, warn } = createQuietLog();
  const pooled = openPool('primary', { url, processName: 'test', max, statementMs: STATEMENT_MS.api, log, metrics });
  onTestFinished(() => pooled.close());
  return { db: pooled.within({ scope: EVERY_ORGANISATION }), metrics, warn };
}

async function answer(db: Db): Promise<number> {
  const { rows } = await sql<{ one: number }>`select 1 as one`.execute(db);
  return rows[0]?.one as number;
}

/** Every connection of this file's database, as a restart of the server would. */
async function killAll(): Promise<void> {
  const name = new URL(database.url).pathname.slice(1);
  await asAdmin((client) =>
    client.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [name]),
  );
}

/** Polls without any time passing. */
async function untilStill(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
