import { sql, type Transaction } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { UnknownOutcomeError, withRetry } from '../../src/db/deadlock-retry.ts';
import { type Database, openDatabase } from '../../src/db/read-write-split.ts';
import type { Schema } from '../../src/db/schema.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { sqlState } from '../../src/errors.ts';
import { POOL_PRIMARY, TRANSACTION_RETRY_MS, TRANSACTION_TRIES_MAX } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics, type Metrics } from '../../src/process/metrics.ts';
import { asAdmin, createTestDatabase, type TestDatabase, until } from '../database.ts';
import { createTcpProxy, delayReadiness, type TcpProxy } from './tcp-proxy.ts';

type Work = Transaction<Schema>;

const CONNECTIONS = POOL_PRIMARY.chat;

let own: TestDatabase;
let database: Database;
let metrics: Metrics;

beforeAll(async () => {
  own = await createTestDatabase({ replica: false });
  await sql`create table accounts (name text primary key, cents integer not null)`.execute(own.db);
  await sql`grant all on accounts to tardigrade_system`.execute(own.db);
  ({ database, metrics } = open(own.url));
});
beforeEach(async () => {
  await sql`truncate accounts`.execute(own.db);
  await sql`insert into accounts values ('a', 0), ('b', 0)`.execute(own.db);
});
afterAll(async () => {
  await database.close();
  await own.close();
});

test('two transactions that deadlock both commit in the end', async () => {
  const bothHoldOne = barrier(2);
  const calls = { ab: 0, ba: 0 };
  const retriesBefore = await retries();
  await Promise.all([
    database.write(EVERY_ORGANISATION, async (transaction) => {
      calls.ab++;
      await pay(transaction, 'a', 1);
      await bothHoldOne();
      await pay(transaction, 'b', 1);
    }),
    database.write(EVERY_ORGANISATION, async (transaction) => {
      calls.ba++;
      await pay(transaction, 'b', 10);
      await bothHoldOne();
      await pay(transaction, 'a', 10);
    }),
  ]);
  expect(await accounts()).toEqual({ a: 11, b: 11 });
  expect(calls.ab + calls.ba).toBe(3); // one of them was the victim, once
  expect((await retries()) - retriesBefore).toBe(1);
});

test('a serialisation failure is run again from the first line, and decides on what it reads then', async () => {
  const read: number[] = [];
  await isolated('repeatable read').write(EVERY_ORGANISATION, async (transaction) => {
    const cents = await balance(transaction, 'a');
    read.push(cents);
    if (read.length === 1) await elsewhere(`update accounts set cents = 100 where name = 'a'`);
    await sql`update accounts set cents = ${cents + 1} where name = 'a'`.execute(transaction);
  });
  expect(read).toEqual([0, 100]);
  expect(await accounts()).toEqual({ a: 101, b: 0 });
});

test('a serialisation failure that only COMMIT reports is run again too', async () => {
  let calls = 0;
  const begun = performance.now();
  await isolated('serializable').write(EVERY_ORGANISATION, async (transaction) => {
    calls++;
    const sum = (await balance(transaction, 'a')) + (await balance(transaction, 'b'));
    if (calls === 1) {
      await elsewhere(`begin isolation level serializable;
        select sum(cents) from accounts;
        update accounts set cents = 5 where name = 'b';`);
    }
    await sql`update accounts set cents = ${sum + 1} where name = 'a'`.execute(transaction);
    if (calls === 1) await elsewhere('commit');
  });
  expect(calls).toBe(2);
  expect(await accounts()).toEqual({ a: 6, b: 5 });
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test('a COMMIT that failed is run again in its scope, also when the server says only later that the transaction is over', async () => {
  await sql`create sequence commits`.execute(own.db);
  await sql`create function fail_first_commit() returns trigger language plpgsql security definer as $$ begin
    if nextval('commits') = 1 then raise exception 'at commit' using errcode = '40001'; end if;
    return null;
  end $$`.execute(own.db);
  await sql`create constraint trigger fail_first_commit after update on accounts deferrable initially deferred
    for each row execute function fail_first_commit()`.execute(own.db);
  onTestFinished(async () => {
    await sql`drop trigger fail_first_commit on accounts`.execute(own.db);
  });
  const { write, calls } = await throughProxy((proxy) => delayReadiness(proxy, 10 * TRANSACTION_RETRY_MS.base));
  await write;
  expect(calls()).toBe(2);
  expect(await accounts()).toEqual({ a: 1, b: 0 });
});

test('a server that dies behind PgBouncer is a lost connection, in the words and the code that PgBouncer gives it', async () => {
  let runs = 0;
  const work = async () => {
    if (++runs === 1) throw Object.assign(new Error('server connection closed'), { code: '08P01' });
    return runs;
  };
  expect(await withRetry(work, () => undefined)).toBe(2);
  // The same code is any other protocol violation as well, which the same work would cause again.
  const other = Object.assign(new Error('invalid message format'), { code: '08P01' });
  await expect(
    withRetry(
      () => Promise.reject(other),
      () => undefined,
    ),
  ).rejects.toBe(other);
});

test('what is no fault of PostgreSQL is not run again', async () => {
  for (const statement of [
    `insert into accounts values ('a', 0)`, // 23505: it is there, however often we look
    'select 1 / 0', // 22012
    `set local statement_timeout = 30; select pg_sleep(5)`, // 57014: too slow once is too slow twice
  ]) {
    let calls = 0;
    const write = database.write(EVERY_ORGANISATION, async (transaction) => {
      calls++;
      await pay(transaction, 'b', 1);
      for (const part of statement.split(';')) await sql.raw(part).execute(transaction);
    });
    await expect(write, statement).rejects.toSatisfy((error) => /^(23505|22012|57014)$/.test(sqlState(error) ?? ''));
    expect(calls, statement).toBe(1);
  }
  expect(await accounts()).toEqual({ a: 0, b: 0 });
});

test('tries are bounded: after the last one the caller hears the reason', async () => {
  let calls = 0;
  const write = database.write(EVERY_ORGANISATION, async (transaction) => {
    calls++;
    await sql`do $$ begin raise exception 'again' using errcode = '40P01'; end $$`.execute(transaction);
  });
  await expect(write).rejects.toMatchObject({ code: '40P01' });
  expect(calls).toBe(TRANSACTION_TRIES_MAX);
});

test('a connection that is lost in the middle of the work: nothing of it stays, it is run again on a new one', async () => {
  const backends: number[] = [];
  await database.write(EVERY_ORGANISATION, async (transaction) => {
    await pay(transaction, 'a', 1);
    backends.push(await backend(transaction));
    if (backends.length === 1) await kill(backends[0] as number);
    await pay(transaction, 'b', 1);
  });
  expect(backends).toHaveLength(2);
  expect(backends[0]).not.toBe(backends[1]);
  expect(await accounts()).toEqual({ a: 1, b: 1 });
});

test('a pool stays whole, however many of its connections were lost', async () => {
  for (let loss = 0; loss < CONNECTIONS + 2; loss++) {
    let calls = 0;
    await database.write(EVERY_ORGANISATION, async (transaction) => {
      if (++calls === 1) await kill(await backend(transaction));
      await pay(transaction, 'a', 1);
    });
  }
  const held = barrier(CONNECTIONS);
  await Promise.all(Array.from({ length: CONNECTIONS }, () => database.write(EVERY_ORGANISATION, () => held()))); // all at once
  expect(await accounts()).toEqual({ a: CONNECTIONS + 2, b: 0 });
});

test('when the answer to COMMIT is lost, it is said so and not run again: the work may be done, as here', async () => {
  const { write, calls } = await throughProxy((proxy) => {
    proxy.onSend = (chunk, cut) => {
      if (chunk.includes('commit')) setImmediate(cut.client);
      return undefined;
    };
  });
  await expect(write).rejects.toBeInstanceOf(UnknownOutcomeError);
  expect(calls()).toBe(1);
  await until('the commit arrived', async () => (await accounts())['a'] === 1);
});

test('when COMMIT itself is lost, the same is said: from here the two cannot be told apart', async () => {
  const { write, calls } = await throughProxy((proxy) => {
    proxy.onSend = (chunk) => (chunk.includes('commit') ? 'cut' : undefined);
  });
  await expect(write).rejects.toBeInstanceOf(UnknownOutcomeError);
  expect(calls()).toBe(1);
  expect(await accounts()).toEqual({ a: 0, b: 0 });
});

test('a write that is committed is answered as committed, even when its position cannot be asked for any more', async () => {
  const { write, calls } = await throughProxy((proxy) => {
    proxy.onSend = (chunk) => (chunk.includes('pg_current_wal_insert_lsn') ? 'cut' : undefined);
  });
  // A position that no replica has reached: reads go to the primary, which has the row.
  expect(await write).toEqual({ value: 'paid', position: '4294967295:FFFFFFFF/FFFFFFFF' });
  expect(calls()).toBe(1);
  expect(await accounts()).toEqual({ a: 1, b: 0 });
});

/** The product itself runs at READ COMMITTED; its retry is not limited to it. */
function isolated(level: string): Database {
  const { database: strict } = open(
    `${own.url}?options=${encodeURIComponent(`-c default_transaction_isolation=${level.replace(' ', '\\ ')}`)}`,
  );
  onTestFinished(() => strict.close());
  return strict;
}

/** One write over a line that `arrange` may cut. */
async function throughProxy(arrange: (proxy: TcpProxy) => void) {
  const proxy = await createTcpProxy(own.url);
  const { database: through } = open(proxy.url);
  onTestFinished(async () => {
    await through.close();
    await proxy.close();
  });
  arrange(proxy);
  let calls = 0;
  const write = through.write(EVERY_ORGANISATION, async (transaction) => {
    calls++;
    await pay(transaction, 'a', 1);
    return 'paid';
  });
  return { write, calls: () => calls };
}

function open(url: string): { database: Database; metrics: Metrics } {
  const ownMetrics = createMetrics('test');
  const opened = openDatabase({
    config: { databaseUrl: url, databaseReplicaUrl: undefined },
    name: 'chat',
    log: createLog('test', 'silent'),
    metrics: ownMetrics,
  });
  return { database: opened, metrics: ownMetrics };
}

/** Waits until so many have come; who comes later goes through. */
function barrier(count: number): () => Promise<void> {
  const gate = Promise.withResolvers<void>();
  let come = 0;
  return () => {
    if (++come >= count) gate.resolve();
    return gate.promise;
  };
}

async function pay(transaction: Work, name: string, cents: number): Promise<void> {
  await sql`update accounts set cents = cents + ${cents} where name = ${name}`.execute(transaction);
}

async function balance(transaction: Work, name: string): Promise<number> {
  const { rows } = await sql<{ cents: number }>`select cents from accounts where name = ${name}`.execute(transaction);
  return rows[0]?.cents ?? Number.NaN;
}

async function accounts(): Promise<Record<string, number>> {
  const { rows } = await sql<{ name: string; cents: number }>`select * from accounts`.execute(own.db);
  return Object.fromEntries(rows.map(({ name, cents }) => [name, cents]));
}

async function backend(transaction: Work): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
  return rows[0]?.pid as number;
}

async function kill(pid: number): Promise<void> {
  await asAdmin((client) => client.query('select pg_terminate_backend($1, 5000)', [pid]));
}

async function retries(): Promise<number> {
  return Number(/^tardigrade_transaction_retries_total\S* (\d+)$/m.exec(await metrics.text())?.[1]);
}

let otherClient: Client | undefined;
afterAll(() => otherClient?.end());

/** Somebody else, on a connection of their own. */
async function elsewhere(text: string): Promise<void> {
  if (otherClient === undefined) {
    otherClient = new Client({ connectionString: own.ownerUrl });
    await otherClient.connect();
  }
  await otherClient.query(text);
}
