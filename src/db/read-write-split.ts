/**
 * What it is: reads go to the replica, writes to the primary, and who wrote something always reads it back.
 * What fails without it: under write load nearly half of the reads that follow a write do not see it.
 * How it works: after COMMIT the write-ahead log's position is taken and travels with the caller (cookie, header). A
 *   read that carries a position waits briefly for the replica to get there, and then asks it: the statement before it in
 *   the same round trip says whether this very server has replayed so far, so that several replicas behind one address,
 *   or one that was promoted meanwhile, cannot answer with the past. Else the primary answers.
 *   A position is a proof; "wait two seconds after a write" would be a hope.
 *   A replica that lags too far, was promoted or does not answer is left out, and taken back by itself (replica-watch).
 *   The primary answers for it within a budget, so that writes keep their connections; past it, who has no write of their
 *   own to see gets the replica's older view, and the others are told to come back.
 * What it costs: one tiny query after each commit; every REPLICA_POLL_MS one tiny query on the replica.
 * Its bound: REPLICA_WAIT_MS, REPLICA_LAG_MAX_MS, CONNECTIONS_FOR_WRITES, FALLBACK_READS_WAITING_MAX.
 * Its proof: test/db/read-write-split.test.ts, bench/patterns/read-write-split.
 */
import { sql, type Transaction } from 'kysely';
import type { Config } from '../config.ts';
import { SQLSTATE, sqlState } from '../errors.ts';
import { createSemaphore } from '../flow/semaphore.ts';
import {
  CONNECTIONS_FOR_WRITES,
  FALLBACK_READS_WAITING_MAX,
  POOL_PRIMARY,
  POOL_REPLICA,
  STATEMENT_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../process/metrics.ts';
import { type Db, holdingConnection, openPool } from './database.ts';
import { inTransaction, isConnectionLoss, withRetry } from './deadlock-retry.ts';
import { parsePosition, type ReplicaStatus, type WalPosition, watchReplica } from './replica-watch.ts';
import type { Schema } from './schema.ts';
import { NotReplayedError } from './statement-scope.ts';
import type { Scope } from './tenant-isolation.ts';

export interface Database {
  /** Runs on the replica when it has replayed `position`, else on the primary. `query` may run twice. */
  read<T>(scope: Scope, position: WalPosition | undefined, query: (db: Db) => Promise<T>): Promise<T>;
  /** Runs in a transaction on the primary; `work` may run several times (see deadlock-retry). */
  write<T>(
    scope: Scope,
    work: (transaction: Transaction<Schema>) => Promise<T>,
  ): Promise<{ value: T; position: WalPosition }>;
  /** The same without the position, which costs a round trip: for callers that read from the primary only. */
  transact<T>(scope: Scope, work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** For what must be seen at once and has no position: sessions, the chat, the mailer's ledger. */
  primary(scope: Scope): Db;
  /** The server itself, as the login role, which may touch no table. */
  readonly server: Db;
  /** Whether a pooler such as PgBouncer keeps the connections, and their number, instead of the server. */
  isPooled(): Promise<boolean>;
  replica(): ReplicaStatus;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A caller's way to the database: its own writes move its position, its reads respect it. One per request or socket. */
export interface Caller {
  within(scope: Scope): DatabaseSession;
  /** Never back: of two positions the later one holds for both. */
  seeAtLeast(position: WalPosition | undefined): void;
  readonly position: WalPosition | undefined;
  /** The last own write, as against a position that was brought along. */
  readonly lastWrite: WalPosition | undefined;
}

/** A caller within one organisation. */
export interface DatabaseSession {
  read<T>(query: (db: Db) => Promise<T>): Promise<T>;
  write<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  readonly position: WalPosition | undefined;
}

export function createCaller(database: Database, start?: WalPosition): Caller {
  let position = start;
  let lastWrite: WalPosition | undefined;
  function seeAtLeast(other: WalPosition | undefined): void {
    if (other === undefined) return;
    if (position === undefined || parsePosition(other) > parsePosition(position)) position = other;
  }
  return {
    within: (scope) => ({
      read: (query) => database.read(scope, position, query),
      async write(work) {
        const before = position;
        const written = await database.write(scope, work);
        // What the caller brought may be nonsense, or of a server that is no more: a write of its own replaces it. But of
        // two writes at once, which may answer in the other order, the later position holds for both.
        if (position === before) position = written.position;
        else seeAtLeast(written.position);
        lastWrite = position;
        return written.value;
      },
      get position() {
        return position;
      },
    }),
    seeAtLeast,
    get position() {
      return position;
    },
    get lastWrite() {
      return lastWrite;
    },
  };
}

export function createSession(database: Database, scope: Scope, start?: WalPosition): DatabaseSession {
  return createCaller(database, start).within(scope);
}

export interface DatabaseOptions {
  readonly config: Pick<Config, 'databaseUrl' | 'databaseReplicaUrl'>;
  /** Whose pools and timeouts. */
  readonly name: keyof typeof STATEMENT_MS;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function openDatabase({ config, name, log, metrics }: DatabaseOptions): Database {
  const shared = { processName: name, statementMs: STATEMENT_MS[name], log, metrics };
  const primary = openPool('primary', { ...shared, url: config.databaseUrl, max: POOL_PRIMARY[name] });
  const replica = openReplica();
  const retries = metrics.counter(
    'transaction_retries',
    'Transactions run again after a deadlock or a lost connection',
  );
  const replicaReads = metrics.counter('reads_replica', 'Reads answered by the replica');
  const staleReads = metrics.counter('reads_stale', 'Of these: by a replica that lags too far, for want of a better');
  const primaryReads = metrics.counter('reads_primary', 'Reads answered by the primary');

  function openReplica() {
    const url = config.databaseReplicaUrl;
    if (url === undefined || POOL_REPLICA[name] === 0) return undefined;
    const pool = openPool('replica', { ...shared, url, max: POOL_REPLICA[name] - 1 }); // the watch has the other one
    const watch = watchReplica(url, name, log, () => pool.cut('the replica does not answer'));
    const fallback = createSemaphore('reads while the replica is behind', {
      atOnce: POOL_PRIMARY[name] - CONNECTIONS_FOR_WRITES,
      waiting: FALLBACK_READS_WAITING_MAX,
    });
    metrics.gauge(
      'reads_waiting_primary',
      'Reads that wait for the primary because the replica is behind',
      () => fallback.waiting,
    );
    return { pool, watch, fallback };
  }

  async function read<T>(scope: Scope, position: WalPosition | undefined, query: (db: Db) => Promise<T>): Promise<T> {
    if (replica === undefined) {
      primaryReads.inc();
      return query(primary.within({ scope }));
    }
    if (await replica.watch.hasReplayed(position)) {
      try {
        const value = await replica.watch.unlessLost(query(replica.pool.within({ scope, position })));
        replicaReads.inc();
        return value;
      } catch (error) {
        if (!worthAskingPrimary(error)) throw error;
        if (isConnectionLoss(error)) replica.watch.suspect();
      }
    }
    if (position === undefined && replica.fallback.waiting > 0 && replica.watch.status().state === 'lagging') {
      staleReads.inc();
      replicaReads.inc();
      return query(replica.pool.within({ scope }));
    }
    return replica.fallback.run(() => {
      primaryReads.inc();
      return query(primary.within({ scope }));
    });
  }

  /** `afterCommit` runs on the same connection. */
  function runTransaction<T, R>(
    scope: Scope,
    work: (transaction: Transaction<Schema>) => Promise<T>,
    afterCommit: (value: T, connection: Db) => Promise<R>,
  ): Promise<R> {
    return withRetry(
      () =>
        primary
          .within({ scope })
          .connection()
          .execute((connection) =>
            holdingConnection(async () => afterCommit(await inTransaction(connection, work), connection)),
          ),
      (reason) => {
        retries.inc();
        log.warn({ reason }, 'transaction run again');
      },
    );
  }

  return {
    read,
    write: (scope, work) =>
      runTransaction(scope, work, async (value, connection) => ({
        value,
        position: await positionAfterCommit(connection),
      })),
    transact: (scope, work) => runTransaction(scope, work, async (value) => value),
    primary: (scope) => primary.within({ scope }),
    server: primary.unscoped,
    isPooled: primary.isPooled,
    replica: () => replica?.watch.status() ?? { state: 'none', lagMs: null },
    ping: async () => void (await sql`select 1`.execute(primary.unscoped)),
    async close() {
      await replica?.watch.stop();
      await Promise.all([primary.close(), replica?.pool.close()]);
    },
  };
}

/**
 * It has not replayed far enough after all; or, 40001 on a replica, recovery needed the rows that this query was reading,
 * which it will not say on the primary; or it went away.
 */
function worthAskingPrimary(error: unknown): boolean {
  return (
    error instanceof NotReplayedError || sqlState(error) === SQLSTATE.serializationFailure || isConnectionLoss(error)
  );
}

/** At or after our COMMIT, never inside the transaction: a position from before it would be reached too early. */
async function positionAfterCommit(connection: Db): Promise<WalPosition> {
  try {
    const { rows } = await sql<{ position: WalPosition }>`
      select pg_current_wal_insert_lsn()::text as position`.execute(connection);
    return rows[0]?.position ?? NEVER_REPLAYED;
  } catch {
    return NEVER_REPLAYED; // the work is done and must not be reported, let alone repeated, as failed
  }
}

/** No replica gets there: whoever carries it reads from the primary until the next write. */
const NEVER_REPLAYED: WalPosition = 'FFFFFFFF/FFFFFFFF';
