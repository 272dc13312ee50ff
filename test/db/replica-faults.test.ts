/**
 * What goes wrong with replicas elsewhere. The first five are the sticking bugs of GitLab's load balancer, in its own
 * numbers: #413203, !216379, !49294, #238556, #344888.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { createPrimary, createReplica, type Postgres } from '../../scripts/embedded/postgres.ts';
import { loadSecrets } from '../../scripts/embedded/secrets.ts';
import type { PooledDatabase } from '../../src/db/pool.ts';
import { createCaller, createSession, type Database, openDatabase } from '../../src/db/read-write-split.ts';
import type { Db } from '../../src/db/schema.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { FALLBACK_READS_WAITING_MAX, POOL_PRIMARY, REPLICA_ANSWER_MS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics, type Metrics } from '../../src/process/metrics.ts';
import { asAdmin, openOwner, until } from '../database.ts';
import { createTcpProxy } from './tcp-proxy.ts';

// A minute behind is what is left out; nobody waits that long in a test.
vi.mock('../../src/limits.ts', async (original) => ({ ...(await original<object>()), REPLICA_LAG_MAX_MS: 1_000 }));

let folder: string;
let primary: Postgres;
/** Two replicas of it. */
let level: Postgres;
let paused: Postgres;
let owner: PooledDatabase;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tardigrade-replicas-'));
  const base = { folder, secrets: loadSecrets(folder), durable: false };
  primary = await createPrimary({ ...base, port: await freePort() });
  await asAdmin((client) => client.query('alter system set synchronous_commit = on'), primary.adminUrl);
  await asAdmin((client) => client.query('select pg_reload_conf()'), primary.adminUrl);
  level = await createReplica({ ...base, port: await freePort(), primary });
  paused = await createReplica({ ...base, port: await freePort(), primary, name: 'replica_2' });
  owner = openOwner(primary.url);
  await sql`create table counters (name text primary key, value integer not null)`.execute(owner.unscoped);
  await sql`grant all on counters to tardigrade_system`.execute(owner.unscoped);
  await sql`insert into counters values ('own', 0)`.execute(owner.unscoped);
  for (const replica of [level, paused])
    await until('the replica has it', () =>
      valueOn(replica).then(
        (value) => value === 0,
        () => false,
      ),
    );
});
afterAll(async () => {
  await owner?.close();
  for (const server of [level, paused, primary]) await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('1. several replicas behind one address: the one that answers must itself have replayed the write', async () => {
  await pauseReplay(paused);
  // Whoever watches meets the replica that is level; every read meets the one that is not.
  const address = await balance((startup) => (startup.includes('-watch') ? level : paused));
  const { database, reads } = open(address);
  await until('the replica is usable', () => database.replica().state === 'usable');
  const session = createSession(database, EVERY_ORGANISATION);
  for (let value = 1; value <= 20; value++) {
    await session.write((transaction) => setValue(transaction, value));
    await until('the one that is watched has it', async () => (await valueOn(level)) === value);
    expect(await session.read(readValue)).toBe(value);
  }
  expect(await reads()).toMatchObject({ replica: 0, primary: 20, stale: 0 });
  // Who has no write of their own to see may read there.
  await database.read(EVERY_ORGANISATION, undefined, readValue);
  expect(await reads()).toMatchObject({ replica: 1 });
});

test('2. two answers that overtake each other: the position never goes back', () => {
  const caller = createCaller({} as Database, '1:0/20');
  caller.seeAtLeast('1:0/10');
  expect(caller.position()).toBe('1:0/20');
  caller.seeAtLeast('1:1/0');
  expect(caller.position()).toBe('1:1/0');
  caller.seeAtLeast(undefined);
  expect(caller.position()).toBe('1:1/0');
});

test('3. no replica at boot: nobody is told that it is level, until it has said so itself', async () => {
  const port = await freePort();
  const { database, reads } = open(withPort(level.workerUrl, port));
  expect(database.replica()).toEqual({ state: 'unreachable', lagMs: null });
  const session = createSession(database, EVERY_ORGANISATION);
  await session.write((transaction) => setValue(transaction, 301));
  expect(await session.read(readValue)).toBe(301);
  expect(await database.read(EVERY_ORGANISATION, undefined, readValue)).toBe(301);
  expect(await reads()).toMatchObject({ replica: 0, primary: 2 });
});

test('4. a replica that falls silent slows nobody for long, and nobody at all once it is known', async () => {
  const proxy = await createTcpProxy(level.workerUrl);
  onTestFinished(() => proxy.close());
  const { database } = open(proxy.url);
  await until('the replica is usable', () => database.replica().state === 'usable');
  const read = () => database.read(EVERY_ORGANISATION, undefined, readValue);
  await Promise.all(Array.from({ length: 10 }, read)); // connections are open

  proxy.freeze();
  const begun = performance.now();
  const answers = await Promise.all(Array.from({ length: 10 }, read));
  expect(answers).toHaveLength(10);
  expect(performance.now() - begun).toBeLessThan(REPLICA_ANSWER_MS * 6);
  expect(database.replica()).toEqual({ state: 'unreachable', lagMs: null });
  const took: number[] = [];
  for (let n = 0; n < 20; n++) {
    const asked = performance.now();
    await read();
    took.push(performance.now() - asked);
  }
  // The median: a busy machine holds up one or another.
  expect(took.toSorted((a, b) => a - b)[10]).toBeLessThan(REPLICA_ANSWER_MS);

  proxy.thaw();
  await until('it is taken back', () => database.replica().state === 'usable');
});

test('5. the only host is the primary: it is asked once per read, and never as a replica', async () => {
  const { database, reads } = open(primary.workerUrl);
  await until('it is known', () => database.replica().state === 'promoted');
  let asked = 0;
  for (let n = 0; n < 10; n++) {
    await database.read(EVERY_ORGANISATION, '0/0', (db) => {
      asked++;
      return readValue(db);
    });
  }
  expect(asked).toBe(10);
  expect(await reads()).toMatchObject({ replica: 0, primary: 10 });
});

test('a replica that lags too far is left out, and its lag does not take the connections that writes need', async () => {
  await pauseReplay(paused);
  const { database, reads, gauge } = open(paused.workerUrl);
  await until('the replica is known', () => database.replica().state !== 'unreachable');
  await until('it lags too far', async () => {
    await setValue(owner.unscoped, Math.floor(performance.now()));
    return database.replica().state === 'lagging';
  });
  await setValue(owner.unscoped, 700);
  const stale = (await valueOn(paused)) as number;

  const session = createSession(database, EVERY_ORGANISATION);
  await session.write((transaction) => setValue(transaction, 701));
  expect(await session.read(readValue)).toBe(701);
  expect(await database.read(EVERY_ORGANISATION, undefined, readValue)).toBe(701);

  // All that the budget allows is in use, by reads that wait for a lock; and somebody stands in line.
  const locked = Promise.withResolvers<void>();
  const holder = owner.unscoped.transaction().execute(async (transaction) => {
    await sql`lock table counters in access exclusive mode`.execute(transaction);
    await locked.promise;
  });
  await until('the lock is held', async () => (await locksOn('counters')) > 0);
  const budget = POOL_PRIMARY.all - 2;
  const own = Array.from({ length: budget + 1 }, () => session.read(readValue));
  await until('the budget is spent', () => gauge('pool_primary_used') === budget);

  // Who has nothing of their own to see gets the older view instead of a place in that line; a write still has its place.
  expect(await database.read(EVERY_ORGANISATION, undefined, readValue)).toBe(stale);
  expect(await reads()).toMatchObject({ stale: 1 });
  await database.write(EVERY_ORGANISATION, async (db) => void (await sql`select 1`.execute(db)));

  locked.resolve();
  await holder;
  expect(await Promise.all(own)).toEqual(Array(budget + 1).fill(701));
});

test('beyond the line for the primary, who must see their own write is told to come back', async () => {
  await pauseReplay(paused);
  const { database, gauge } = open(paused.workerUrl);
  await until('the replica is known', () => database.replica().state !== 'unreachable');
  const held = Promise.withResolvers<void>();
  const waiting = Array.from({ length: POOL_PRIMARY.all - 2 + FALLBACK_READS_WAITING_MAX }, () =>
    database.read(EVERY_ORGANISATION, '4294967295:FFFFFFFF/0', () => held.promise),
  );
  await until('the line is full', () => gauge('reads_waiting_primary') === FALLBACK_READS_WAITING_MAX);
  await expect(database.read(EVERY_ORGANISATION, '4294967295:FFFFFFFF/0', readValue)).rejects.toMatchObject({
    code: 'overloaded',
    retryAfterSeconds: expect.any(Number),
  });
  held.resolve();
  await Promise.all(waiting);
});

test('a replica that is promoted under us stops being read, whatever position we hold', async () => {
  await resumeReplay(paused);
  const { database, reads } = open(paused.workerUrl);
  await until('the replica is usable', () => database.replica().state === 'usable');
  const session = createSession(database, EVERY_ORGANISATION);
  await session.write((transaction) => setValue(transaction, 801));
  await asAdmin((client) => client.query('select pg_promote(true, 20)'), paused.adminUrl);
  await asAdmin((client) => client.query("update counters set value = -1 where name = 'own'"), paused.adminUrl);
  const before = await reads();
  for (let n = 0; n < 20; n++) expect(await session.read(readValue)).toBe(801);
  expect((await reads()).replica).toBe(before.replica);
  await until('and it is known as what it is', () => database.replica().state === 'promoted');
});

function open(databaseReplicaUrl: string) {
  const metrics: Metrics = createMetrics('test');
  const database = openDatabase({
    config: { databaseUrl: primary.workerUrl, databaseReplicaUrl },
    name: 'all',
    log: createLog('test', 'silent'),
    metrics,
  });
  onTestFinished(() => database.close());
  const counter = (text: string, name: string) =>
    Number(new RegExp(`^tardigrade_reads_${name}_total\\S* (\\d+)$`, 'm').exec(text)?.[1]);
  return {
    database,
    gauge: (name: string) => metrics.report().gauges[name],
    async reads() {
      const text = await metrics.text();
      return { replica: counter(text, 'replica'), primary: counter(text, 'primary'), stale: counter(text, 'stale') };
    },
  };
}

/** One address, several servers: each connection goes to the one that `choose` names by its first bytes. */
async function balance(choose: (startup: Buffer) => Postgres): Promise<string> {
  const server = createServer((client) => {
    client.once('data', (startup: Buffer) => {
      const upstream = connect(choose(startup).port, '127.0.0.1');
      for (const socket of [client, upstream]) socket.on('error', () => undefined);
      upstream.write(startup);
      client.pipe(upstream).pipe(client);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return withPort(level.workerUrl, (server.address() as AddressInfo).port);
}

function withPort(url: string, port: number): string {
  const result = new URL(url);
  result.port = String(port);
  return result.href;
}

async function pauseReplay(replica: Postgres): Promise<void> {
  await asAdmin((client) => client.query('select pg_wal_replay_pause()'), replica.adminUrl);
}

async function resumeReplay(replica: Postgres): Promise<void> {
  await asAdmin((client) => client.query('select pg_wal_replay_resume()'), replica.adminUrl);
}

async function setValue(db: Db, value: number): Promise<void> {
  await sql`update counters set value = ${value} where name = 'own'`.execute(db);
}

async function readValue(db: Db): Promise<number> {
  const { rows } = await sql<{ value: number }>`select value from counters where name = 'own'`.execute(db);
  return rows[0]?.value as number;
}

function valueOn(replica: Postgres): Promise<unknown> {
  return asAdmin(async (client) => {
    const { rows } = await client.query("select value from counters where name = 'own'");
    return rows[0]?.value;
  }, replica.adminUrl);
}

function locksOn(table: string): Promise<number> {
  return asAdmin(async (client) => {
    const { rowCount } = await client.query(
      "select from pg_locks where relation = $1::regclass and mode = 'AccessExclusiveLock' and granted",
      [table],
    );
    return rowCount ?? 0;
  }, primary.adminUrl);
}
