import { createHash } from 'node:crypto';
import { Kysely, type KyselyPlugin, PostgresDialect } from 'kysely';
import { Client, Pool, type PoolClient, type PoolConfig, types } from 'pg';
import { AppError } from '../errors.ts';
import {
  CONNECTION_LIFETIME_SECONDS,
  IDLE_IN_TRANSACTION_MS,
  LOCK_MS,
  POOL_ACQUIRE_MS,
  POOL_WAITING_MAX,
  PREPARED_STATEMENTS_MAX,
  RETRY_AFTER_SECONDS,
  STATEMENT_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../process/metrics.ts';
import type { Schema } from './schema.ts';

/** A connection pool or a transaction: queries do not care which. */
export type Db = Kysely<Schema>;

export interface PooledDatabase {
  readonly db: Db;
  readonly pool: Pool;
}

/** `server` names the pool in logs, metrics and PostgreSQL's own pg_stat_activity. */
export function openPool(
  server: 'primary' | 'replica',
  options: { url: string; processName: string; max: number; log: Log; metrics: Metrics },
): PooledDatabase {
  const pool = new Pool({
    connectionString: options.url,
    application_name: `tardigrade-${options.processName}`,
    max: options.max,
    connectionTimeoutMillis: POOL_ACQUIRE_MS,
    maxLifetimeSeconds: CONNECTION_LIFETIME_SECONDS,
    statement_timeout: STATEMENT_MS,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    types: { getTypeParser: typeParser },
    Client: PreparingClient as unknown as PoolConfig['Client'],
  } as PoolConfig);
  // An idle connection that breaks is replaced by the pool; without this listener it would end the process.
  pool.on('error', (error: Error & { client?: unknown }) => {
    delete error.client; // pg hangs the whole connection on it, down to its secret key
    options.log.warn({ server, err: error }, 'idle database connection lost');
  });
  // The same for one that breaks while it is in use: its query fails, or the next one, and that is where it is handled.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  options.metrics.gauge(
    `pool_${server}_used`,
    `Connections to the ${server} in use`,
    () => pool.totalCount - pool.idleCount,
  );
  options.metrics.gauge(`pool_${server}_max`, `Connections to the ${server} allowed`, () => options.max);
  options.metrics.gauge(
    `pool_${server}_waiting`,
    `Callers waiting for a connection to the ${server}`,
    () => pool.waitingCount,
  );
  const plugins = [countStatements(server, options.metrics)];
  return { pool, db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool: boundedPool(pool) }), plugins }) };
}

/**
 * Statements answered and the rows that came back: the two numbers that tell an N+1 and a list without a limit apart
 * from a slow machine. What is asked by the clock and not by the work goes uncounted: `db.withoutPlugins()`.
 */
function countStatements(server: 'primary' | 'replica', metrics: Metrics): KyselyPlugin {
  const queries = metrics.counter(`queries_${server}`, `Statements answered by the ${server}`);
  const rows = metrics.counter(`rows_${server}`, `Rows that the ${server} answered with`);
  return {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      queries.inc();
      rows.inc(result.rows.length);
      return result;
    },
  };
}

/** The pool's own line is unbounded: past POOL_WAITING_MAX a caller is refused at once instead of served too late. */
function boundedPool(pool: Pool) {
  return Object.assign(Object.create(pool) as Pool, {
    async connect(): Promise<PoolClient> {
      if (pool.waitingCount >= POOL_WAITING_MAX) throw busy();
      try {
        return await pool.connect();
      } catch (error) {
        if (error instanceof Error && /timeout exceeded when trying to connect/.test(error.message)) throw busy(error);
        throw error;
      }
    },
  });
}

function busy(cause?: unknown): AppError {
  return new AppError('overloaded', 'The database is busy. Try again in a moment.', {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

/**
 * Names every statement by its text, so that PostgreSQL parses and plans it once per connection instead of each time
 * (kysely sends unnamed statements). Bounded: past PREPARED_STATEMENTS_MAX texts, statements go unnamed.
 */
class PreparingClient extends Client {
  readonly #names = new Map<string, string>();

  // biome-ignore lint/suspicious/noExplicitAny: pg declares a dozen overloads; only the one that kysely uses is changed.
  override query(...parameters: any[]): any {
    const [text, values] = parameters;
    if (typeof text === 'string' && Array.isArray(values) && parameters.length === 2) {
      const name = this.#nameOf(text);
      if (name !== undefined) return super.query({ name, text, values });
    }
    return (super.query as (...all: unknown[]) => unknown)(...parameters);
  }

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= PREPARED_STATEMENTS_MAX) return known;
    const name = createHash('sha1').update(text).digest('base64url');
    this.#names.set(text, name);
    return name;
  }
}

/** bigint as number (ids stay far below 2^53), times as ISO 8601 text, dates as text: what the API says anyway. */
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

/** `2026-11-21 06:02:17.123456+00` to `2026-11-21T06:02:17.123456Z`; every microsecond stays, for cursors go on from it. */
function isoTime(text: string): string {
  if (text.endsWith('+00')) return `${text.slice(0, -3).replace(' ', 'T')}Z`;
  const fraction = /\.\d+/.exec(text)?.[0] ?? '';
  return `${new Date(text).toISOString().slice(0, -'.000Z'.length)}${fraction}Z`;
}
