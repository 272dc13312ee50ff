/**
 * The doctor's connections: read-only and bounded, so that examining a struggling server does not make it worse.
 * Both are set in the startup packet instead of with SET: behind a pooler a SET would stay on the server connection and
 * make another client's transactions read-only.
 */
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Config } from '../../src/config.ts';
import { sqlState } from '../../src/errors.ts';
import { ANSWER_MS, CONNECT_MS, LOCK_MS, STATEMENT_MS } from './limits.ts';

export type Server = {
  readonly name: 'primary' | 'replica';
  /** Host, port and database; never the password. */
  readonly address: string;
  readonly version: string;
  /** 170002 is 17.2. */
  readonly versionNumber: number;
  /** False if this role cannot see other roles' sessions (it is not in pg_monitor). */
  readonly seesOthers: boolean;
  /** `bigint` and `numeric` are returned as numbers. @throws UnreachableError when the connection is lost */
  rows<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
};

export type Servers = {
  readonly primary: Server;
  readonly replica: Server | undefined;
  readonly redis: Redis | undefined;
  /** Why a configured server cannot be reached. */
  readonly unreachable: { readonly replica?: string; readonly redis?: string };
  readonly instances: Config['instances'];
  /** Of each box: the database's, Redis's, each process's. */
  readonly memoryBytes: number;
  close(): Promise<void>;
};

export type Addresses = { databaseUrl: string; databaseReplicaUrl: string | undefined; redisUrl: string | undefined };

/** Printed without a stack: one sentence about which server does not answer, and why. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
}

const VERSION_MIN = 140_000;

/** @throws UnreachableError only for the primary: without the replica or Redis there is still a lot to examine */
export async function openServers(
  addresses: Addresses,
  given: Pick<Servers, 'instances' | 'memoryBytes'>,
): Promise<Servers> {
  const { databaseUrl, databaseReplicaUrl, redisUrl } = addresses;
  const primary = await openServer('primary', databaseUrl);
  const replica = await orWhyNot(databaseReplicaUrl, (url) => openServer('replica', url));
  const redis = await orWhyNot(redisUrl, openRedis);
  return {
    ...given,
    primary,
    replica: replica.opened,
    redis: redis.opened,
    unreachable: {
      ...(replica.why === undefined ? {} : { replica: replica.why }),
      ...(redis.why === undefined ? {} : { redis: redis.why }),
    },
    async close() {
      redis.opened?.disconnect();
      await Promise.all([primary.end(), replica.opened?.end()]);
    },
  };
}

/** Both get the same checks: a replica has its own scans, cache and memory. */
export function databases({ primary, replica }: Servers): Server[] {
  return replica === undefined ? [primary] : [primary, replica];
}

async function orWhyNot<T>(url: string | undefined, open: (url: string) => Promise<T>) {
  try {
    return url === undefined ? {} : { opened: await open(url) };
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return { why: error.message };
  }
}

async function openServer(name: Server['name'], url: string): Promise<Server & { end(): Promise<void> }> {
  const address = addressOf(url);
  const client = new pg.Client({
    connectionString: readOnly(url),
    application_name: 'tardigrade-doctor',
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    types: { getTypeParser },
  });
  // A lost connection fails the query in flight; without this listener it would end the process.
  client.on('error', () => undefined);
  const end = () => client.end().catch(() => undefined);

  async function rows<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      return (await client.query(sql, [...values])).rows as Row[];
    } catch (error) {
      if (answeredWithError(error)) throw error;
      throw new UnreachableError(`The ${name} at ${address} stopped answering: ${reason(error)}.`, { cause: error });
    }
  }

  try {
    await client.connect();
  } catch (error) {
    await end();
    throw new UnreachableError(`The ${name} at ${address} cannot be reached: ${reason(error)}.`, { cause: error });
  }
  const [about] = await rows<{ number: number; version: string; seesOthers: boolean }>(`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
      pg_has_role('pg_read_all_stats', 'usage') as "seesOthers"`);
  if (about === undefined || about.number < VERSION_MIN) {
    await end();
    throw new UnreachableError(
      `The ${name} at ${address} is PostgreSQL ${about?.version}; the doctor needs 14 or later.`,
    );
  }
  return {
    name,
    address,
    version: about.version,
    versionNumber: about.number,
    seesOthers: about.seesOthers,
    rows,
    end,
  };
}

async function openRedis(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    connectTimeout: CONNECT_MS,
    commandTimeout: STATEMENT_MS,
  });
  let failure: unknown;
  redis.on('error', (error) => {
    failure = error;
  });
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    redis.disconnect();
    throw new UnreachableError(`Redis at ${addressOf(url)} cannot be reached: ${reason(failure ?? error)}.`, {
      cause: error,
    });
  }
}

/** A later `-c` wins, so nothing in the address can override these bounds. */
function readOnly(url: string): string {
  const bounded = new URL(url);
  const own = [
    '-c default_transaction_read_only=on',
    `-c statement_timeout=${STATEMENT_MS}`,
    `-c lock_timeout=${LOCK_MS}`,
    '-c search_path=pg_catalog',
  ];
  bounded.searchParams.set('options', [bounded.searchParams.get('options') ?? '', ...own].join(' ').trim());
  return bounded.href;
}

function addressOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

/** The server answered with an error; 57P01 to 57P03 mean that it is shutting down or starting. */
function answeredWithError(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !state.startsWith('57P') && !state.startsWith('08');
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there (is it running, and is the address right?)',
  ENOTFOUND: 'the host name does not exist',
  EAI_AGAIN: 'the host name cannot be resolved',
  '28P01': 'it refused the password',
  '28000': 'it does not allow this role to connect from here',
  '3D000': 'the database does not exist',
  '53300': 'all its connections are in use',
  '57P03': 'it is starting up or shutting down',
};

/** When a host name has several addresses, pg and Node wrap their errors in one without a message. */
function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (message?.includes('unsupported startup parameter')) {
    return "it is PgBouncer, which does not pass the doctor's read-only setting on (use PostgreSQL's own address)";
  }
  return REASONS[code ?? ''] ?? (message || code || 'unknown reason');
}

const INT8 = 20;
const NUMERIC = 1700;

/** Sizes and counts stay far below 2^53. */
const getTypeParser = ((oid: number, format?: 'text') =>
  oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;
