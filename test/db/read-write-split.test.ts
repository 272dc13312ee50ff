import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { type Stack, startStack } from '../../scripts/embedded/stack.ts';
import { parsePosition } from '../../src/db/failover-position.ts';
import { openPool, type PooledDatabase } from '../../src/db/pool.ts';
import { createSession as createScopedSession, type Database, openDatabase } from '../../src/db/read-write-split.ts';
import type { Db } from '../../src/db/schema.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { REPLICA_ANSWER_MS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { asAdmin, openOwner, until } from '../database.ts';
import { holdTheLoop } from '../hold-the-loop.ts';
import { createTcpProxy } from './tcp-proxy.ts';

/** Delaying, cancelling and cutting off a replica would disturb other tests: this file has one of its own. */
let stack: Stack;
let folder: string;
let database: Database;
let replicaUrl: string;
let owner: PooledDatabase;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tardigrade-split-'));
  stack = await startStack({ folder, durable: false, ports: 'any', withMail: false });
  replicaUrl = stack.workerDatabaseReplicaUrl as string;
  // As in production: a commit is on its way to the replica when it is answered. (Without durability it waits for a timer.)
  await asAdmin(async (client) => {
    await client.query('alter system set synchronous_commit = on');
    await client.query('select pg_reload_conf()');
  }, stack.databaseAdminUrl);
  owner = openOwner(stack.databaseUrl);
  database = open(replicaUrl);
  await sql`create table counters (name text primary key, value integer not null)`.execute(owner.unscoped);
  await sql`grant all on counters to tardigrade_system`.execute(owner.unscoped);
  await sql`insert into counters values ('own', 0)`.execute(owner.unscoped);
  await until('the replica is usable', () => database.replica().state === 'usable');
});
afterAll(async () => {
  await database?.close();
  await owner?.close();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('who writes reads it back, every time, and the replica does its share', async () => {
  const session = createSession(database);
  const answered = { replica: 0, primary: 0 };
  // While the machine is busy the replica is late, and the primary answers.
  for (let value = 1; value <= 200 || answered.replica < 20; value++) {
    await session.write((transaction) => setValue(transaction, value));
    const read = await session.read(readValue);
    expect(read.value).toBe(value);
    answered[read.server]++;
  }
});

test('many sessions at once: nobody reads less than they wrote', async () => {
  await sql`insert into counters select 'session ' || n, 0 from generate_series(1, 8) n`.execute(owner.unscoped);
  const stale: string[] = [];
  const writer = async (name: string) => {
    const session = createSession(database);
    for (let value = 1; value <= 40; value++) {
      await session.write((transaction) => setValue(transaction, value, name));
      const read = await session.read((db) => readValue(db, name));
      if (read.value !== value) stale.push(`${name} wrote ${value} and read ${read.value} from the ${read.server}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, n) => writer(`session ${n + 1}`)));
  expect(stale).toEqual([]);
});

test('a read at a position that the replica has replayed has its own scope, and one plan for all values', async () => {
  const session = createScopedSession(database, 7);
  await session.write(async () => undefined);
  expect(session.position()).toBeDefined();
  const scopes = new Map<string, object>();
  // While the replica is late, the primary answers.
  while (!scopes.has('replica')) {
    const { server, ...scope } = await session.read(readScope);
    scopes.set(server, scope);
  }
  expect(scopes.get('replica')).toEqual({ role: 'tardigrade_tenant', organisation: '7', plan: 'force_generic_plan' });
});

test('the position travels: another process, or the next request, reads what this one wrote', async () => {
  const first = createSession(database);
  await first.write((transaction) => setValue(transaction, 1_001));
  const elsewhere = open(replicaUrl);
  await until('the other process knows the replica', () => elsewhere.replica().state === 'usable');
  const next = createSession(elsewhere, first.position());
  expect((await next.read(readValue)).value).toBe(1_001);
});

test('a session that writes twice at once keeps the later of the two positions, in whatever order they answer', async () => {
  const { session, answer } = sessionOfPromises('not a position');
  const writes = [session.write(async () => undefined), session.write(async () => undefined)];
  answer[1]?.('1:0/A0');
  await writes[1];
  expect(session.position()).toBe('1:0/A0');
  answer[0]?.('1:0/9');
  await writes[0];
  expect(session.position()).toBe('1:0/A0');
});

test('a session that writes again goes on from there, even when the position before was beyond all others', async () => {
  const { session, answer } = sessionOfPromises('4294967295:FFFFFFFF/FFFFFFFF');
  const write = session.write(async () => undefined);
  answer[0]?.('1:0/10');
  await write;
  expect(session.position()).toBe('1:0/10');
});

test.each(['4294967295:FFFFFFFF/FFFFFFFF', '1:FFFFFFFF/FFFFFFFF', 'garbage'])(
  'a session with a position to which the primary never came goes on from where it is, and uses the replica again (%s)',
  async (position) => {
    const session = createSession(database, position);
    expect((await session.read(readValue)).server).toBe('primary');
    await until('a read on the replica', async () => (await session.read(readValue)).server === 'replica');
  },
);

test('a position to which the primary has come is kept, by a process that has not seen it yet as well', async () => {
  await onReplica(`alter system set recovery_min_apply_delay = '1min'`);
  onTestFinished(async () => void (await onReplica('alter system reset recovery_min_apply_delay')));
  const first = createSession(database);
  await first.write((transaction) => setValue(transaction, 1_500));
  const position = first.position();
  const elsewhere = createSession(open(replicaUrl), position);
  expect((await elsewhere.read(readValue)).value).toBe(1_500);
  expect(elsewhere.position()).toBe(position);
});

test('on a replica that is seconds behind: no own read is stale, and reads without a position stay there', async () => {
  const delayMs = 3_000;
  await onReplica(`alter system set recovery_min_apply_delay = '${delayMs}ms'`);
  onTestFinished(async () => void (await onReplica('alter system reset recovery_min_apply_delay')));
  // A replica is a moment behind anyway, and reads its settings when it comes to it.
  await until('the delay shows', async () => {
    const probe = -Math.floor(Math.random() * 1e6); // below all values that are written later
    const begun = performance.now();
    await database.write(EVERY_ORGANISATION, (transaction) => setValue(transaction, probe));
    const isThere = async () =>
      (await database.read(EVERY_ORGANISATION, undefined, readValue)).value === probe ||
      performance.now() - begun > delayMs / 2;
    await until('the replica has it, or waits', isThere);
    return performance.now() - begun > delayMs / 2;
  });

  const session = createSession(database);
  for (let value = 2_000; value < 2_020; value++) {
    const begun = performance.now();
    await session.write((transaction) => setValue(transaction, value));
    expect(await session.read(readValue)).toEqual({ value, server: 'primary' });
    expect(performance.now() - begun).toBeLessThan(delayMs); // it does not wait the delay out
  }
  const stranger = await database.read(EVERY_ORGANISATION, undefined, readValue);
  expect(stranger.server).toBe('replica');
  expect(stranger.value).toBeLessThan(2_019);
});

test('a pause of this process is not taken for one of the replica', async () => {
  await until('it is usable', () => database.replica().state === 'usable');
  const session = createSession(database);
  await session.write((transaction) => setValue(transaction, 2_500));
  const read = session.read(readValue);
  holdTheLoop(REPLICA_ANSWER_MS + 100); // and then timers run before sockets are read
  expect((await read).value).toBe(2_500);
  expect(database.replica().state).toBe('usable');
});

test('once the replica has caught up, the same session reads from it again', async () => {
  const session = createSession(database);
  await session.write((transaction) => setValue(transaction, 3_000));
  const read = await until('a read on the replica', async () => {
    const answer = await session.read(readValue);
    expect(answer.value).toBe(3_000);
    return answer.server === 'replica' ? answer : undefined;
  });
  expect(read.value).toBe(3_000);
});

test.each([
  '',
  'garbage',
  '0',
  '0/',
  '/0',
  'x/y',
  '0/0/0',
  '0/A0',
  '1:123456789/0',
  '-1:0/0',
  "1:0/0'; drop table counters",
  '1:FFFFFFFF/FFFFFFFF',
  '4294967295:0/0',
])('a position that makes no sense or lies ahead of everything (%j) is answered by the primary', async (position) => {
  expect((await database.read(EVERY_ORGANISATION, position, readValue)).server).toBe('primary');
});

test('what fails on a server because it has not replayed far enough is answered as that, and so by the primary', async () => {
  const pool = openPool('replica', {
    ...{ url: replicaUrl, processName: 'test', max: 1, statementMs: 5_000 },
    ...{ log: createLog('test', 'silent'), metrics: createMetrics('test') },
  });
  onTestFinished(() => pool.close());
  const ahead = pool.within({ scope: EVERY_ORGANISATION, position: '1:FFFFFFFF/FFFFFFFF' });
  const read = sql`select * from a_table_of_the_next_migration`.execute(ahead);
  await expect(read).rejects.toMatchObject({ name: 'NotReplayedError', cause: { code: '42P01' } });
});

test('positions are compared as numbers, not as text', () => {
  const inOrder = [
    '1:0/0',
    '1:0/9',
    '1:0/A',
    '1:0/10',
    '1:0/FFFFFFFF',
    '1:1/0',
    '1:9/FFFFFFFF',
    '1:A/0',
    '1:10/0',
    '1:FFFFFFFF/FFFFFFFF',
    '2:0/0',
    '9:0/0',
    '10:0/0',
    '4294967295:FFFFFFFF/FFFFFFFF',
    'garbage',
  ];
  expect(inOrder.toSorted((a, b) => (parsePosition(a) < parsePosition(b) ? -1 : 1))).toEqual(inOrder);
  expect(parsePosition('1:16/b374d848')).toBe(parsePosition('1:16/B374D848'));
});

test('a read that recovery cancels on the replica (a real 40001) is answered by the primary', async () => {
  await onReplica(`alter system set max_standby_streaming_delay = '0'`);
  onTestFinished(async () => void (await onReplica('alter system reset max_standby_streaming_delay')));
  await sql`create table conflicts as select 1 as one`.execute(owner.unscoped);
  await sql`grant select on conflicts to tardigrade_system`.execute(owner.unscoped);
  await until('the table is on the replica', async () => {
    const { rows } = await database.read(EVERY_ORGANISATION, undefined, (db) =>
      sql<{ there: boolean }>`
        select to_regclass('conflicts') is not null and pg_is_in_recovery() as there`.execute(db),
    );
    return rows[0]?.there;
  });

  const ran: string[] = [];
  const read = database.read(EVERY_ORGANISATION, undefined, async (db) => {
    const { rows } = await sql<{ server: string }>`
      select ${SERVER} as server, case when pg_is_in_recovery() then pg_sleep(6)::text end from conflicts`
      .execute(db)
      .finally(() => ran.push('ran'));
    return rows[0]?.server;
  });
  await until('the replica is reading', async () => {
    const running = await onReplica(
      `select 1 from pg_stat_activity where query like '%pg_sleep(6)%' and wait_event = 'PgSleep'`,
    );
    return running > 0;
  });
  await sql`alter table conflicts add column two integer`.execute(owner.unscoped); // needs the table for itself
  expect(await read).toBe('primary');
  expect(ran).toHaveLength(2);
  expect(database.replica().state).toBe('usable'); // one cancelled read is no reason to leave the replica out
});

test('an error that is the fault of the query is not run a second time', async () => {
  let runs = 0;
  const read = database.read(EVERY_ORGANISATION, undefined, (db) => {
    runs++;
    return sql`select 1 / 0`.execute(db);
  });
  await expect(read).rejects.toMatchObject({ code: '22012' });
  expect(runs).toBe(1);
});

test('a replica that is away at boot is no reason not to serve, and is taken in when it comes; the same when it goes', async () => {
  const port = await freePort();
  const split = open(withPort(replicaUrl, port));
  expect(split.replica()).toEqual({ state: 'unreachable', lagMs: null }); // until it has answered once
  const server = async () => (await split.read(EVERY_ORGANISATION, undefined, readValue)).server;
  expect(await server()).toBe('primary');
  expect(split.replica()).toEqual({ state: 'unreachable', lagMs: null });

  const proxy = await createTcpProxy(replicaUrl, port);
  onTestFinished(() => proxy.close());
  await until('the replica is taken in', async () => (await server()) === 'replica');
  expect(split.replica().state).toBe('usable');

  await proxy.close();
  for (let n = 0; n < 10; n++) expect(await server()).toBe('primary');
  expect(split.replica().state).toBe('unreachable');
});

test('a read whose replica goes away under it is answered by the primary', async () => {
  const proxy = await createTcpProxy(replicaUrl);
  onTestFinished(() => proxy.close());
  const split = open(proxy.url);
  await until('the replica is usable', () => split.replica().state === 'usable');
  proxy.onSend = (chunk) => (chunk.includes('counters') ? 'cut' : undefined);
  expect((await split.read(EVERY_ORGANISATION, undefined, readValue)).server).toBe('primary');
});

test('a "replica" that is a primary (promoted, or a wrong address) is left out', async () => {
  const split = open(stack.workerDatabaseUrl);
  await until('it is known', () => split.replica().state === 'promoted');
  // Nothing tells the two apart from inside a query; the pool's own name in the metrics does.
  expect(await reads(split)).toEqual({ replica: 0, primary: 1 });
});

test('without a replica everything is read from the primary', async () => {
  const split = open(undefined);
  expect((await split.read(EVERY_ORGANISATION, undefined, readValue)).server).toBe('primary');
  expect((await split.read(EVERY_ORGANISATION, '1:0/0', readValue)).server).toBe('primary');
  expect(split.replica()).toEqual({ state: 'none', lagMs: null });
});

type Answer = { value: number; server: 'replica' | 'primary' };

const SERVER = sql`case when pg_is_in_recovery() then 'replica' else 'primary' end`;
const metricsOf = new WeakMap<Database, ReturnType<typeof createMetrics>>();

function open(databaseReplicaUrl: string | undefined): Database {
  const metrics = createMetrics('test');
  const opened = openDatabase({
    config: { databaseUrl: stack.workerDatabaseUrl, databaseReplicaUrl },
    name: 'all',
    log: createLog('test', 'silent'),
    metrics,
  });
  metricsOf.set(opened, metrics);
  if (database !== undefined) onTestFinished(() => opened.close());
  return opened;
}

async function setValue(db: Db, value: number, name = 'own'): Promise<void> {
  await sql`update counters set value = ${value} where name = ${name}`.execute(db);
}

async function readValue(db: Db, name = 'own'): Promise<Answer> {
  const { rows } = await sql<Answer>`
    select value, ${SERVER} as server from counters where name = ${name}`.execute(db);
  return rows[0] as Answer;
}

async function readScope(db: Db) {
  const { rows } = await sql<{ server: string; role: string; organisation: string; plan: string }>`
    select ${SERVER} as server, current_setting('role') as role, current_setting('app.org') as organisation,
      current_setting('plan_cache_mode') as plan`.execute(db);
  return rows[0] as (typeof rows)[number];
}

const createSession = (of: Database, start?: string) => createScopedSession(of, EVERY_ORGANISATION, start);

/** A session whose writes answer when the test says so, with the position that it says. */
function sessionOfPromises(start: string) {
  const answer: ((position: string) => void)[] = [];
  const write = () =>
    new Promise((resolve) => answer.push((position) => resolve({ value: undefined, position }))) as never;
  return { session: createSession({ ...database, write }, start), answer };
}

/** One read, and which pool it was counted for. */
async function reads(split: Database): Promise<{ replica: number; primary: number }> {
  await split.read(EVERY_ORGANISATION, undefined, readValue);
  const text = (await metricsOf.get(split)?.text()) ?? '';
  const count = (name: string) =>
    Number(new RegExp(`^tardigrade_reads_${name}_total\\S* (\\d+)$`, 'm').exec(text)?.[1]);
  return { replica: count('replica'), primary: count('primary') };
}

/** Runs on the replica as its superuser and makes changed settings count; returns the number of rows. */
async function onReplica(text: string): Promise<number> {
  return asAdmin(async (client) => {
    const { rowCount } = await client.query(text);
    await client.query('select pg_reload_conf()');
    return rowCount ?? 0;
  }, stack.databaseReplicaAdminUrl);
}

function withPort(url: string, port: number): string {
  const result = new URL(url);
  result.port = String(port);
  return result.href;
}
