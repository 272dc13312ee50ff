import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Client } from 'pg';
import { inject, onTestFinished } from 'vitest';
import { openPool, type PooledDatabase } from '../src/db/pool.ts';
import { type Database, openDatabase } from '../src/db/read-write-split.ts';
import type { Db } from '../src/db/schema.ts';
import { createLog } from '../src/log.ts';
import { createMetrics } from '../src/process/metrics.ts';
import './db/query-plans/record.ts';

export interface TestDatabase {
  /** As the processes sign in. */
  readonly url: string;
  /** The same database on the streaming replica. */
  readonly replicaUrl: string;
  /** As the owner of the tables, whom Row-Level Security does not bind. */
  readonly ownerUrl: string;
  /** The owner's on the primary: to arrange, and to look at everything. */
  readonly db: Db;
  /** Primary and replica behind the product's own split. */
  readonly database: Database;
  close(): Promise<void>;
}

/** A migrated database of the caller's own, on the primary and, as soon as it has streamed, on the replica. */
export async function createTestDatabase(options: { replica?: boolean } = {}): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const owner = new URL(inject('databaseUrl')).username;
  // Primary and replica copy the template's files, which costs them a third of what a page at a time through the WAL does.
  const like = `template ${inject('template')} strategy file_copy`;
  await asAdmin((client) => client.query(`create database ${name} ${like} owner ${owner}`));
  const url = named(inject('workerDatabaseUrl'), name);
  const replicaUrl = named(inject('workerReplicaUrl'), name);
  const ownerUrl = named(inject('databaseUrl'), name);
  if (options.replica !== false) await until('the replica has the database', () => answers(replicaUrl));
  const database = openDatabase({
    config: { databaseUrl: url, databaseReplicaUrl: options.replica === false ? undefined : replicaUrl },
    name: 'all',
    log: createLog('test', 'silent'),
    metrics: createMetrics('test'),
  });
  const tables = openOwner(ownerUrl);
  return {
    url,
    replicaUrl,
    ownerUrl,
    db: tables.unscoped,
    database,
    async close() {
      await Promise.all([database.close(), tables.close()]);
      await asAdmin((client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

/** The product's own connections, with its types, for a reader that may see everything, and wait on a busy machine. */
export function openOwner(url: string): PooledDatabase {
  return openTestPool(url, 3, 0, 60_000);
}

/** The product's own pool with a single connection, which every query of the test meets again; closed when it ends. */
export function openPoolOfOne(url: string): PooledDatabase {
  const pool = openTestPool(url, 1, 5_000, 60_000);
  onTestFinished(() => pool.close());
  return pool;
}

/** As PostgreSQL's superuser, on the primary. */
export async function asAdmin<T>(work: (client: Client) => Promise<T>, url = inject('databaseAdminUrl')): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The superuser's address of a test database. */
export function adminUrlOf({ ownerUrl }: TestDatabase): string {
  return named(inject('databaseAdminUrl'), new URL(ownerUrl).pathname.slice(1));
}

/**
 * Polls until it holds, so that no test waits for a guessed time. Throws after `deadlineMs`: by default long enough for a
 * machine with ten times as much to do. Where it matters how soon, the test says so.
 */
export async function until<T>(
  what: string,
  holds: () => Promise<T> | T,
  deadlineMs = 60_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs;
  while (performance.now() < deadline) {
    const value = await holds();
    if (value) return value as NonNullable<T>;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Not within ${deadlineMs} ms: ${what}`);
}

/** Whether a statement in the database waits for what another transaction holds. */
export async function isWaitingForLock(db: Db): Promise<boolean> {
  return (await waitingForLock(db)) > 0;
}

/** How many do. */
export async function waitingForLock(db: Db): Promise<number> {
  const { rows } = await sql<{ waiting: number }>`
    select count(*)::int as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows[0]?.waiting ?? 0;
}

function openTestPool(url: string, max: number, statementMs: number, acquireMs?: number): PooledDatabase {
  return openPool('primary', {
    url,
    processName: 'test',
    max,
    statementMs,
    ...(acquireMs === undefined ? {} : { acquireMs }),
    log: createLog('test', 'silent'),
    metrics: createMetrics('test'),
  });
}

function named(url: string, database: string): string {
  const result = new URL(url);
  result.pathname = `/${database}`;
  return result.href;
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
