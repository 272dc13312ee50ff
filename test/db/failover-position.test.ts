/** Positions over a failover: the log of the new primary goes on from an earlier place, on a timeline of its own. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { createPrimary, createReplica, type Postgres } from '../../scripts/embedded/postgres.ts';
import { loadSecrets } from '../../scripts/embedded/secrets.ts';
import { UnknownOutcomeError } from '../../src/db/deadlock-retry.ts';
import { createSession, type Database, openDatabase } from '../../src/db/read-write-split.ts';
import type { Db } from '../../src/db/schema.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { asAdmin, openOwner, until } from '../database.ts';

const SERVERS: Postgres[] = [];

let folder: string;
/** Lives on, but nobody writes to it any more. */
let oldPrimary: Postgres;
/** A replica of it that was promoted. */
let newPrimary: Postgres;
/** Still follows the old one, and has replayed more of its log than the new one has written. */
let leftBehind: Postgres;
/** Follows the new one. */
let follower: Postgres;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tardigrade-failover-'));
  const base = { folder, secrets: loadSecrets(folder), durable: false };
  const keep = (server: Postgres) => {
    SERVERS.push(server);
    return server;
  };
  oldPrimary = keep(await createPrimary({ ...base, port: await freePort() }));
  newPrimary = keep(await createReplica({ ...base, port: await freePort(), primary: oldPrimary }));
  leftBehind = keep(await createReplica({ ...base, port: await freePort(), primary: oldPrimary, name: 'left_behind' }));
  const owner = openOwner(oldPrimary.url);
  await sql`create table counters (name text primary key, value integer not null)`.execute(owner.unscoped);
  await sql`grant all on counters to tardigrade_system`.execute(owner.unscoped);
  await sql`insert into counters values ('own', 0)`.execute(owner.unscoped);
  await owner.close();
  for (const server of [newPrimary, leftBehind])
    await until('it has the row', async () => (await rowsOn(server)) === 1);
  await asAdmin((client) => client.query('select pg_promote()'), newPrimary.adminUrl);
  await asAdmin(
    (client) => client.query('create table surplus as select n from generate_series(1, 600000) n'),
    oldPrimary.adminUrl,
  );
  follower = keep(await createReplica({ ...base, port: await freePort(), primary: newPrimary, name: 'follower' }));
  await until('the one left behind is ahead', async () => (await replayed(leftBehind)) > (await written(newPrimary)));
});

afterAll(async () => {
  for (const server of SERVERS.toReversed()) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a replica that stayed on the old timeline is ahead of every position of the new one, and yet answers no own read', async () => {
  const database = open(newPrimary.workerUrl, leftBehind.workerUrl);
  await until('the replica is usable', () => database.replica().state === 'usable');
  const session = createSession(database, EVERY_ORGANISATION);
  for (let value = 1; value <= 20; value++) {
    await session.write((transaction) => setValue(transaction, value));
    expect(await session.read(readValue)).toEqual({ value, server: 'primary' });
  }
});

test('what a caller wrote before the failover is on every replica of the new timeline, whatever its position was', async () => {
  const database = open(newPrimary.workerUrl, follower.workerUrl);
  await until('the replica is usable', () => database.replica().state === 'usable');
  const before = `1:${await written(oldPrimary).then(toText)}`;
  expect(await written(oldPrimary)).toBeGreaterThan(await replayed(follower));
  const session = createSession(database, EVERY_ORGANISATION, before);
  expect(await session.read(readValue)).toMatchObject({ server: 'replica' });
});

test('on the new timeline writers read what they wrote, from a replica that follows it', async () => {
  const database = open(newPrimary.workerUrl, follower.workerUrl);
  await until('the replica is usable', () => database.replica().state === 'usable');
  const session = createSession(database, EVERY_ORGANISATION, '1:FFFFFFFF/FFFFFFFF');
  const servers = new Set<string>();
  for (let value = 100; value < 150 || (!servers.has('replica') && value < 100_000); value++) {
    await session.write((transaction) => setValue(transaction, value));
    expect(session.position()).toMatch(/^2:[0-9A-F]+\/[0-9A-F]+$/);
    const read = await session.read(readValue);
    expect(read.value).toBe(value);
    servers.add(read.server);
  }
  expect(servers).toContain('replica');
});

test('a commit whose wait for the replica was cancelled is not answered as committed', async () => {
  const admin = (text: string) =>
    asAdmin(async (client) => (await client.query(text)).rowCount ?? 0, oldPrimary.adminUrl);
  await admin("alter system set synchronous_standby_names = 'nobody'");
  await admin('select pg_reload_conf()');
  await admin('checkpoint'); // by the process that makes the setting known to those that commit
  onTestFinished(async () => {
    await admin('alter system reset synchronous_standby_names');
    await admin('select pg_reload_conf()');
  });
  const database = open(oldPrimary.workerUrl, leftBehind.workerUrl);
  const write = database.write(EVERY_ORGANISATION, (transaction) => setValue(transaction, 777));
  const outcome = write.then(
    () => 'committed',
    (error: unknown) => error,
  );
  const waiting = "from pg_stat_activity where wait_event = 'SyncRep'";
  await until('the commit waits', async () => (await admin(`select ${waiting}`)) === 1);
  await admin(`select pg_cancel_backend(pid) ${waiting}`); // as statement_timeout does
  expect(await outcome).toBeInstanceOf(UnknownOutcomeError);
});

test('an address whose replica was promoted is asked again, because it may lead to another one now', async () => {
  let leadsTo = follower;
  const address = await forward(() => leadsTo);
  const database = open(newPrimary.workerUrl, address);
  await until('the replica is usable', () => database.replica().state === 'usable');
  leadsTo = leftBehind;
  await asAdmin((client) => client.query('select pg_promote()'), follower.adminUrl);
  await until('the other one is used', async () => {
    const { server } = await database.read(EVERY_ORGANISATION, undefined, readPort);
    return server === String(leftBehind.port);
  });
  // A connection that is opened meanwhile leads there before the watch has seen that the first one was promoted.
  await until('it is the usable one', () => database.replica().state === 'usable');
});

type Answer = { value: number; server: string };

async function readValue(db: Db): Promise<Answer> {
  const { rows } = await sql<Answer>`
    select value, case when pg_is_in_recovery() then 'replica' else 'primary' end as server
    from counters where name = 'own'`.execute(db);
  return rows[0] as Answer;
}

async function readPort(db: Db): Promise<Answer> {
  const { rows } = await sql<Answer>`select 0 as value, inet_server_port()::text as server`.execute(db);
  return rows[0] as Answer;
}

async function setValue(db: Db, value: number): Promise<void> {
  await sql`update counters set value = ${value} where name = 'own'`.execute(db);
}

function open(databaseUrl: string, databaseReplicaUrl: string): Database {
  const database = openDatabase({
    config: { databaseUrl, databaseReplicaUrl },
    name: 'all',
    log: createLog('test', 'silent'),
    metrics: createMetrics('test'),
  });
  onTestFinished(() => database.close());
  return database;
}

/** Each connection goes to the server that is named when it opens, and stays there. */
async function forward(target: () => Postgres): Promise<string> {
  const server = createServer((client) => {
    const upstream = connect(target().port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return Object.assign(new URL(follower.workerUrl), { port: String((server.address() as AddressInfo).port) }).href;
}

/** 0 while the table is not there yet. */
async function rowsOn(server: Postgres): Promise<number> {
  return asAdmin(async (client) => (await client.query('select from counters')).rowCount ?? 0, server.adminUrl).catch(
    () => 0,
  );
}

const written = (server: Postgres) => bytesOf(server, 'pg_current_wal_insert_lsn()');
const replayed = (server: Postgres) => bytesOf(server, 'pg_last_wal_replay_lsn()');

function bytesOf(server: Postgres, position: string): Promise<number> {
  return asAdmin(async (client) => {
    const { rows } = await client.query<{ bytes: number }>(`select (${position} - '0/0')::float8 as bytes`);
    return rows[0]?.bytes ?? 0;
  }, server.adminUrl);
}

const toText = (bytes: number) =>
  `${Math.floor(bytes / 2 ** 32).toString(16)}/${(bytes % 2 ** 32).toString(16)}`.toUpperCase();
