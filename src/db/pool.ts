import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, type KyselyPlugin, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import { LRUCache } from 'lru-cache';
import { type Client, Pool, type PoolClient, type PoolConfig, type QueryResult, types } from 'pg';
import {
  CONNECTION_LIFETIME_SECONDS,
  IDLE_IN_TRANSACTION_MS,
  LOCK_MS,
  POOL_ACQUIRE_MS,
  POOL_WAITING_MAX,
  SCOPED_DATABASES_KEPT,
} from '../limits.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../process/metrics.ts';
import { Connection, type LentConnection, lend, share } from './connection.ts';
import { endConnection, serverPid } from './pg-internals.ts';
import { createPipelinedReads, databaseBusy, type PipelinedReads } from './pipelined-reads.ts';
import { ReadDatabase } from './read-database.ts';
import type { Db, Schema } from './schema.ts';
import { POSITION_PREPARATION, SCOPE_PREPARATION, type Terms } from './statement-scope.ts';
import type { Scope } from './tenant-isolation.ts';

export interface PooledDatabase {
  /** As the login role, which has no access to tables: for the server's own functions. Not counted in the metrics. */
  readonly unscoped: Db;
  /** The pool scoped to one organisation (or to all, for jobs): see tenant-isolation. */
  within(terms: Terms): Db;
  /**
   * Whether a pooler (PgBouncer) is in between: the backend's pid differs from the one that our connection was given.
   */
  isPooled(): Promise<boolean>;
  /** Ends every connection now, including those whose query is waiting for an answer that will not come. */
  cut(reason: string): void;
  close(): Promise<void>;
}

/**
 * `server` names the pool in logs, metrics and PostgreSQL's own pg_stat_activity. Of the replica's, statements within a
 * scope share connections (pipelined-reads); the primary's are each lent to one holder, who may begin a transaction.
 */
export function openPool(
  server: 'primary' | 'replica',
  options: {
    url: string;
    processName: string;
    max: number;
    statementMs: number;
    log: Log;
    metrics: Metrics;
    acquireMs?: number;
  },
): PooledDatabase {
  const pool = new Pool({
    connectionString: options.url,
    application_name: `tardigrade-${options.processName}`,
    max: options.max,
    connectionTimeoutMillis: options.acquireMs ?? POOL_ACQUIRE_MS,
    maxLifetimeSeconds: CONNECTION_LIFETIME_SECONDS,
    statement_timeout: options.statementMs,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    pipeline: server === 'replica',
    types: { getTypeParser: typeParser },
    Client: Connection as unknown as PoolConfig['Client'],
    onConnect: (client: Client) => prepareScopes(client, server),
  } as unknown as PoolConfig);
  // An idle connection that breaks is replaced by the pool; without this listener it would end the process.
  pool.on('error', (error: Error & { client?: unknown }) => {
    delete error.client; // pg attaches the whole connection to it, including its secret key
    options.log.warn({ server, err: error }, 'idle database connection lost');
  });
  const connections = new Set<Client>();
  pool.on('connect', (client) => {
    connections.add(client as unknown as Client);
    // Likewise for one that breaks while it is in use: its query or the next one fails, and the error is handled there.
    client.on('error', () => undefined);
  });
  pool.on('remove', (client) => void connections.delete(client as unknown as Client));
  options.metrics.gauge(
    `pool_${server}_used`,
    `Connections to the ${server} in use`,
    () => pool.totalCount - pool.idleCount,
  );
  options.metrics.gauge(`pool_${server}_max`, `Connections to the ${server} allowed`, () => options.max);
  const reads = createPipelinedReads(async () => share(await acquire(pool)), options.max);
  options.metrics.gauge(
    `pool_${server}_waiting`,
    `Callers waiting for a connection to the ${server}`,
    () => pool.waitingCount + reads.waiting,
  );
  const count = countStatements(server, options.metrics);
  const plugins = [afterEach(count)];
  function open(terms: Terms): Db {
    if (server === 'primary')
      return new Kysely({ dialect: new PostgresDialect({ pool: boundedPool(pool, terms) }), plugins });
    const dialect = new PostgresDialect({ pool: sharedPool(reads, terms) });
    return new ReadDatabase({ dialect, plugins }, async (text, values) => {
      refuseNested();
      return count(await reads.run(terms, text, values));
    });
  }
  const kept = new LRUCache<Scope, Db>({ max: SCOPED_DATABASES_KEPT, memoMethod: (scope) => open({ scope }) });
  return {
    unscoped: new Kysely<Schema>({ dialect: new PostgresDialect({ pool: boundedPool(pool, undefined) }) }),
    // A position is used once or twice; an organisation is asked about all the time.
    within: (terms) => (terms.position === undefined ? kept.memo(terms.scope) : open(terms)),
    async isPooled() {
      const client = await pool.connect();
      try {
        const { rows } = await client.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' });
        return rows[0]?.pid !== serverPid(client);
      } finally {
        client.release();
      }
    },
    cut(reason) {
      for (const connection of connections) endConnection(connection, reason);
    },
    close: () => pool.end(),
  };
}

/** A pooler lets us in while its server is away, and then nothing comes: those who wait for the connection would hang. */
async function prepareScopes(client: Client, server: 'primary' | 'replica'): Promise<void> {
  const late = () => endConnection(client, 'no answer within POOL_ACQUIRE_MS of the connection');
  const timer = setTimeout(late, POOL_ACQUIRE_MS);
  try {
    await client.query(SCOPE_PREPARATION);
    if (server === 'replica') await client.query(POSITION_PREPARATION);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Counts statements and returned rows: the two numbers that distinguish an N+1 or a list without a limit from a slow
 * machine. Periodic queries that do not depend on the load are excluded with `db.withoutPlugins()`.
 */
function countStatements(server: 'primary' | 'replica', metrics: Metrics) {
  const queries = metrics.counter(`queries_${server}`, `Statements answered by the ${server}`);
  const rows = metrics.counter(`rows_${server}`, `Rows that the ${server} answered with`);
  return <Result extends UnknownResult>(result: Result): Result => {
    queries.inc();
    rows.inc(result.rows.length);
    return result;
  };
}

function afterEach(look: <Result extends UnknownResult>(result: Result) => Result): KyselyPlugin {
  return { transformQuery: ({ node }) => node, transformResult: async ({ result }) => look(result) };
}

type UnknownResult = { readonly rows: readonly unknown[] };

/** What kysely takes for a pool, of one connection that everybody may ask at the same time. */
function sharedPool(reads: PipelinedReads<QueryResult>, terms: Terms): PostgresPool {
  const connection: LentConnection = {
    query: (text, values) => reads.run(terms, text, values),
    release: () => undefined,
  };
  return {
    async connect() {
      refuseNested();
      return connection as unknown as PostgresPoolClient;
    },
    end: async () => undefined,
    options: {},
  };
}

/**
 * The pool's own queue is unbounded: beyond POOL_WAITING_MAX a caller is refused at once instead of served too late.
 */
function boundedPool(pool: Pool, terms: Terms | undefined): PostgresPool {
  return Object.assign(Object.create(pool) as Pool, {
    async connect(): Promise<LentConnection> {
      refuseNested();
      if (pool.waitingCount >= POOL_WAITING_MAX) throw databaseBusy();
      return lend(await acquire(pool), terms);
    },
  });
}

async function acquire(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    const hasWaited = error instanceof Error && /timeout exceeded when trying to connect/.test(error.message);
    throw hasWaited ? databaseBusy(error) : error;
  }
}

const holding = new AsyncLocalStorage<boolean>();

/**
 * Runs the body of a transaction, which must not ask any pool for a second connection: with as many such requests at
 * once as the pool has connections, each holds one and waits for another, and all are deadlocked.
 */
export function holdingConnection<T>(work: () => Promise<T>): Promise<T> {
  return holding.run(true, work);
}

function refuseNested(): void {
  if (holding.getStore() === true) throw new Error(NESTED);
}

const NESTED =
  'A second connection was asked for inside a transaction. Use the transaction, or run the query before it begins: a pool whose callers each hold one connection and wait for another is deadlocked.';

/** bigint as number (ids stay far below 2^53), times as ISO 8601 text, dates as text: the formats that the API uses. */
function typeParser(oid: number, format?: unknown) {
  if (oid === types.builtins.INT8) return safeInteger;
  if (oid === types.builtins.TIMESTAMPTZ) return isoTime;
  if (oid === types.builtins.DATE) return String;
  return types.getTypeParser(oid, format as 'text');
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} does not fit a JavaScript number`);
  return value;
}

/**
 * `2026-11-21 06:02:17.123456+00` to `2026-11-21T06:02:17.123456Z`; microseconds are kept because cursors need them.
 */
function isoTime(text: string): string {
  if (text.endsWith('+00')) return `${text.slice(0, 10)}T${text.slice(11, -3)}Z`;
  const fraction = /\.\d+/.exec(text)?.[0] ?? '';
  return `${new Date(text).toISOString().slice(0, -'.000Z'.length)}${fraction}Z`;
}
