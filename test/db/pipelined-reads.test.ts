import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type RawBuilder, sql } from 'kysely';
import { Client, Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createRandom } from '../../bench/load/random.ts';
import { isConnectionLoss } from '../../src/db/deadlock-retry.ts';
import { createPipelinedReads, type ReadConnection } from '../../src/db/pipelined-reads.ts';
import { openPool } from '../../src/db/pool.ts';
import { EVERY_ORGANISATION, type Scope } from '../../src/db/tenant-isolation.ts';
import {
  POOL_ACQUIRE_MS,
  POOL_WAITING_MAX,
  QUERY_ANSWER_MS,
  QUICK_RUNS_MIN,
  QUICK_STATEMENT_MS,
  SHARED_CONNECTION_MS,
  STATEMENT_MS,
  STATEMENTS_PER_CONNECTION_MAX,
} from '../../src/limits.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { adminUrlOf, asAdmin, createTestDatabase, type TestDatabase, until } from '../database.ts';
import { createTcpProxy, tearAnswers } from './tcp-proxy.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
});
afterAll(() => database.close());

const TERMS = { scope: EVERY_ORGANISATION } as const;
const BUSY = { name: 'AppError', code: 'overloaded' };

test('statements of many organisations share a connection, and each sees its own', async () => {
  const { ask, within } = open(1);
  await quicken(() => ask(WHOSE, 1));
  const scopes: Scope[] = Array.from({ length: 150 }, (_, n) => (n % 7 === 0 ? EVERY_ORGANISATION : n));
  const answers = await Promise.all(scopes.map((scope) => WHOSE.execute(within({ scope }))));
  expect(answers.map(({ rows }) => rows[0])).toEqual(
    scopes.map((scope) =>
      scope === EVERY_ORGANISATION
        ? { role: 'tardigrade_system', organisation: '' }
        : { role: 'tardigrade_tenant', organisation: String(scope) },
    ),
  );
});

test('a quick statement is sent behind one that is under way, and answered after it', async () => {
  const { ask, waiting } = open(1);
  const { hold, release } = await lock();
  await quicken(() => ask(locking(0)));
  await hold(1);
  const order: string[] = [];
  const first = ask(locking(1)).then(() => order.push('first'));
  const behind = Array.from({ length: STATEMENTS_PER_CONNECTION_MAX - 1 }, (_, n) =>
    ask(locking(0)).then(() => order.push(`behind ${n}`)),
  );
  const oneTooMany = ask(locking(0)).then(() => order.push('one too many'));
  await until('the connection is full', () => waiting() === 1);
  await release();
  await Promise.all([first, ...behind, oneTooMany]);
  expect(order).toEqual(['first', ...behind.map((_, n) => `behind ${n}`), 'one too many']);
});

test('a statement that was never seen, or was slow, has a connection to itself', async () => {
  const { ask, waiting } = open(1);
  const { hold, release } = await lock();
  const quick = sql`select 1 as quick`;
  await quicken(() => ask(quick));
  for (const time of ['never seen', 'slow']) {
    await hold(1);
    const since = performance.now();
    const alone = ask(locking(1));
    const other = ask(quick);
    await until(`one that was ${time} is alone`, () => waiting() === 1);
    await until('it is slow', () => performance.now() - since > 2 * QUICK_STATEMENT_MS);
    await release();
    await Promise.all([alone, other]);
  }
});

test('an error is that of its own statement', async () => {
  const { ask } = open(1);
  const divide = (by: number) => ask(sql`select 6 / ${by}::integer as result`);
  await quicken(() => divide(1));
  const outcomes = await Promise.allSettled([1, 0, 2, 0, 3].map(divide));
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code))).toEqual([
    [{ result: 6 }],
    '22012',
    [{ result: 3 }],
    '22012',
    [{ result: 2 }],
  ]);
});

test('a connection that is lost fails what was under way on it, and nothing after that', async () => {
  const { ask } = open(1);
  const { hold, release } = await lock();
  await quicken(() => ask(locking(0)));
  await hold(1);
  const lost = [1, 0, 0].map((key) => ask(locking(key)));
  const failures = Promise.allSettled(lost);
  await until('the statement waits', () =>
    asAdmin(async (client) => (await client.query(TERMINATE_WAITING)).rows.length > 0, adminUrlOf(database)),
  );
  expect((await failures).map(({ status }) => status)).toEqual(lost.map(() => 'rejected'));
  await release();
  expect(await ask(sql`select 1 as one`)).toEqual([{ one: 1 }]);
});

test('the first of a statement on a connection fails before it is parsed: those behind it are answered all the same', async () => {
  const { ask, within, waiting } = open(2);
  const { hold, release } = await lock();
  await quicken(() => ask(WHOSE));
  await hold(1);
  const elsewhere = ask(locking(1)); // so that the others share a new connection
  const refused = { scope: EVERY_ORGANISATION, position: 'not:a position' } as const;
  const [first, ...behind] = await Promise.allSettled([
    WHOSE.execute(within(refused)),
    ...[1, 2, 3].map((scope) => ask(WHOSE, scope)),
  ]);
  expect(waiting()).toBe(0);
  expect(first).toMatchObject({ status: 'rejected', reason: { code: '22P02' } });
  expect(behind).toEqual(
    [1, 2, 3].map((scope) => ({
      status: 'fulfilled',
      value: [{ role: 'tardigrade_tenant', organisation: String(scope) }],
    })),
  );
  await release();
  await elsewhere;
});

test('a value that cannot be sent fails its own statement alone', async () => {
  const { ask } = open(1);
  const echo = (value: unknown) => ask(sql`select ${value}::text as value`);
  await quicken(() => echo('before'));
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const outcomes = await Promise.allSettled([echo('ahead'), echo(circular), echo('behind')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await echo('after')).toEqual([{ value: 'after' }]);
});

test('a server that says nothing after a connection has opened fails those that wait for it, in time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const silent = await serveSilence();
  const { ask } = open(1, silent.url);
  const outcomes = Promise.allSettled([ask(WHOSE), ask(WHOSE)]);
  await silent.asked;
  await vi.advanceTimersByTimeAsync(POOL_ACQUIRE_MS);
  vi.useRealTimers();
  for (const outcome of await outcomes) expect(outcome.status).toBe('rejected');
});

test('a server that answers is not taken for silent, however long those behind one another take together', async () => {
  const { ask } = open(1);
  const [one, other] = [await lock(), await lock()];
  await quicken(() => ask(locking(0)));
  await one.hold(1);
  await other.hold(2);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const [first, second] = [ask(locking(1)), ask(locking(2))];
  const outcome = second.then(
    () => 'answered',
    ({ message }) => message,
  );
  await turn();
  vi.advanceTimersByTime(QUERY_ANSWER_MS - 1);
  await one.release();
  await first;
  vi.advanceTimersByTime(QUERY_ANSWER_MS - 1);
  await other.release();
  expect(await outcome).toBe('answered');
});

test('only a SELECT may share a connection: a transaction would catch what others send', async () => {
  const { ask, within } = open(1);
  for (const text of ['begin', 'set role none', 'insert into teams default values'])
    await expect(ask(sql.raw(text))).rejects.toThrow('A read is a SELECT');
  await expect(
    within(TERMS)
      .transaction()
      .execute(async () => undefined),
  ).rejects.toThrow('A read is a SELECT');
});

test('whatever fails whenever: each of thousands of reads has its own answer in its own scope, or an error', async () => {
  const random = createRandom(20_261_127);
  const proxy = await createTcpProxy(database.url);
  onTestFinished(() => proxy.close());
  tearAnswers(proxy, random);
  const { within } = open(3, proxy.url, 250);
  const admin = new Pool({ connectionString: adminUrlOf(database), max: 2 });
  onTestFinished(() => admin.end());
  const wrong: unknown[] = [];
  const seen = { right: 0, failed: 0, lost: 0 };

  async function read(own: number): Promise<void> {
    const scope = random.next() < 0.2 ? EVERY_ORGANISATION : random.below(1_000);
    const kind = random.next() < 0.7 ? undefined : random.pick(FAILING);
    try {
      if (kind !== undefined) {
        const position = kind.position === undefined ? {} : { position: kind.position };
        await kind.query(own).execute(within({ scope, ...position }));
        wrong.push(`${kind.expected} did not fail`);
      } else {
        const { rows } = await ownAnswer(own).execute(within({ scope }));
        const [role, organisation] =
          scope === EVERY_ORGANISATION ? ['tardigrade_system', ''] : ['tardigrade_tenant', String(scope)];
        expect(rows).toEqual([{ own, role, organisation }]);
        seen.right++;
      }
    } catch (error) {
      const { name, code } = error as Error & { code?: string };
      if (kind?.expected.test(code ?? name) === true) seen.failed++;
      else if (/^(57014|57P01|overloaded)$/.test(code ?? '') || isConnectionLoss(error)) seen.lost++;
      else wrong.push(error);
    }
  }

  async function disturb(): Promise<void> {
    const end = random.next() < 0.3 ? 'pg_terminate_backend(pid)' : 'pg_cancel_backend(pid)';
    await admin.query(
      `select ${end} from pg_stat_activity where datname = current_database() and application_name = 'tardigrade-test'
        order by random() limit 1`,
    );
  }

  await Promise.all(
    Array.from({ length: 12 }, async (_, reader) => {
      for (let n = 0; n < 250; n++) {
        const disturbed = random.next() < 0.05 ? disturb() : undefined;
        await read(reader * 1_000 + n);
        await disturbed;
      }
    }),
  );
  expect(wrong).toEqual([]);
  // Otherwise it would prove little. How many of each is the machine's.
  expect(seen.right).toBeGreaterThan(500);
  expect(seen.failed).toBeGreaterThan(200);
  expect(seen.lost).toBeGreaterThan(0);
});

const ownAnswer = (own: number) => sql`select ${own}::integer as own, current_user::text as role,
  current_setting('app.org') as organisation`;

/** Each in its own way, and how it is told. */
const FAILING: readonly { query(own: number): RawBuilder<unknown>; position?: string; expected: RegExp }[] = [
  { query: () => sql`select 1 / 0`, expected: /^22012$/ },
  { query: (own) => sql.raw(`select nothing_${own}`), expected: /^42703$/ },
  { query: () => sql`select 9223372036854775807 as too_large`, expected: /^RangeError$/ },
  { query: ownAnswer, position: '1:0/1', expected: /^NotReplayedError$/ },
  {
    query: ownAnswer,
    position: 'not:a position',
    expected: /^(22P02|NotReplayedError)$/,
  },
];

test('a line that is full refuses the next one at once, and those in it give up in time', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { reads } = fakes(1);
  void reads.run(TERMS, 'select never answered', []);
  const line = Array.from({ length: POOL_WAITING_MAX }, () => reads.run(TERMS, 'select 1', []));
  const outcomes = Promise.allSettled(line);
  await expect(reads.run(TERMS, 'select 1', [])).rejects.toMatchObject(BUSY);
  expect(reads.waiting).toBe(POOL_WAITING_MAX);
  await vi.advanceTimersByTimeAsync(POOL_ACQUIRE_MS);
  expect(reads.waiting).toBe(0);
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: BUSY });
});

test('one that needs a connection to itself is not overtaken by quick ones', async () => {
  const fake = fakes(1);
  await quickenFake(fake);
  const order: string[] = [];
  const ask = (text: string, name: string) => fake.reads.run(TERMS, text, []).then(() => order.push(name));
  const all = [ask(QUICK, 'quick'), ask('select 2', 'new'), ask(QUICK, 'quick'), ask(QUICK, 'quick')];
  const underWay: number[] = [];
  while (order.length < all.length) {
    await turn();
    underWay.push(fake.underWay());
    fake.answer();
    await turn();
  }
  expect(order).toEqual(['quick', 'new', 'quick', 'quick']);
  expect(underWay).toEqual([1, 1, 2, 1]);
});

test('a connection that is never idle comes back to the pool all the same', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const fake = fakes(1);
  await quickenFake(fake);
  const before = fake.taken();
  let answered = 0;
  const ask = () => void fake.reads.run(TERMS, QUICK, []).then(() => answered++);
  ask();
  for (let nth = 0; nth < 50; nth++) {
    ask(); // before the one ahead of it is answered
    await turn();
    vi.advanceTimersByTime(QUICK_STATEMENT_MS / 2);
    fake.answer();
    await turn();
  }
  expect(answered).toBe(50);
  expect(fake.taken() - before).toBe(Math.ceil((50 * QUICK_STATEMENT_MS) / 2 / SHARED_CONNECTION_MS));
});

const WHOSE = sql<{ role: string; organisation: string }>`
  select current_user as role, current_setting('app.org') as organisation`;

/** Shares key 0 with everybody, and waits for whoever holds another one. */
const locking = (key: number) => sql`select pg_advisory_xact_lock_shared(${key}::bigint)`;

const TERMINATE_WAITING = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name = 'tardigrade-test' and wait_event_type = 'Lock'`;

function open(max: number, url = database.url, statementMs: number = STATEMENT_MS.api) {
  const metrics = createMetrics('test');
  const options = { url, processName: 'test', max, statementMs, metrics };
  const { within, close } = openPool('replica', { ...options, log: pino({ level: 'silent' }) });
  onTestFinished(close);
  return {
    within,
    ask: async (query: RawBuilder<unknown>, scope: Scope = EVERY_ORGANISATION) =>
      (await query.execute(within({ scope }))).rows,
    waiting: () => metrics.report().gauges['pool_replica_waiting'],
  };
}

/** Locks that statements of `locking` wait for. */
async function lock() {
  const client = new Client({ connectionString: adminUrlOf(database) });
  await client.connect();
  onTestFinished(() => client.end());
  return {
    hold: (key: number) => client.query('select pg_advisory_lock($1::bigint)', [key]),
    release: () => client.query('select pg_advisory_unlock_all()'),
  };
}

/** Lets everybody in, and then answers nothing: as a pooler does whose server is away. */
async function serveSilence() {
  const asked = Promise.withResolvers<void>();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1'));
      socket.once('data', () => asked.resolve());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `postgres://nobody@127.0.0.1:${port}/none`, asked: asked.promise };
}

const QUICK = 'select 1';

/** Connections that answer, in turn, when they are told to. */
function fakes(max: number) {
  const pending: (() => void)[] = [];
  let taken = 0;
  const connection: ReadConnection<string> = {
    ask: () => new Promise((resolve) => void pending.push(() => resolve('answered'))),
    release: () => undefined,
  };
  const connect = async () => {
    taken++;
    return connection;
  };
  const reads = createPipelinedReads(connect, max);
  return { reads, taken: () => taken, underWay: () => pending.length, answer: () => pending.shift()?.() };
}

async function quickenFake({ reads, answer }: ReturnType<typeof fakes>): Promise<void> {
  await quicken(async () => {
    const run = reads.run(TERMS, QUICK, []);
    await turn();
    answer();
    await run;
  });
}

/** All that follows from what has happened so far has happened. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** One that took too long, on a busy machine, does not count; nor do those before it. */
async function quicken(ask: () => Promise<unknown>): Promise<void> {
  let quickRuns = 0;
  while (quickRuns < QUICK_RUNS_MIN) {
    const since = performance.now();
    await ask();
    quickRuns = performance.now() - since < QUICK_STATEMENT_MS ? quickRuns + 1 : 0;
  }
}
