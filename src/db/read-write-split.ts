/**
 * What it is: reads go to the replica, writes go to the primary, and every caller reads its own writes.
 * What fails without it: on a replica that is 90 s behind, writers that read two seconds later do not see what they
 *   wrote: 200 of 200 (bench/results/patterns.json).
 * How it works: after COMMIT the position of the write-ahead log is read and travels with the caller (cookie, header).
 *   A read with a position waits briefly for the replica to reach it and then runs there. A statement sent ahead of it
 *   in the same round trip checks that this very server has replayed that far, so several replicas behind one address,
 *   or one that has been promoted, cannot return stale data. Otherwise the read runs on the primary.
 *   A position names its timeline, so that it is still right after a failover (failover-position).
 *   A position is a guarantee; "wait two seconds after a write" is only a guess.
 *   A replica that lags too far, was promoted or does not answer is not used until it recovers (replica-watch). Its
 *   reads go to the primary within a budget, so that writes keep their connections. Beyond the budget, callers without
 *   a write of their own get the replica's stale view, and the others are told to try again.
 * What it costs: one small query after each commit, and one on the replica every REPLICA_POLL_MS.
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
import { inTransaction, isConnectionLoss, withRetry } from './deadlock-retry.ts';
import { CURRENT_POSITION, NEVER_REPLAYED, parsePosition, type WalPosition } from './failover-position.ts';
import { holdingConnection, openPool } from './pool.ts';
import { type ReplicaStatus, watchReplica } from './replica-watch.ts';
import type { Db, Schema } from './schema.ts';
import { NotReplayedError } from './statement-scope.ts';
import type { Scope } from './tenant-isolation.ts';

export interface Database {
  /**
   * Runs on the replica if it has replayed `position`, otherwise on the primary. `query` can run twice. When not even the
   * primary has come to `position`, `correct` gets where it is instead: all that was committed is before that.
   */
  read<T>(
    scope: Scope,
    position: WalPosition | undefined,
    query: (db: Db) => Promise<T>,
    correct?: (position: WalPosition) => void,
  ): Promise<T>;
  /** Runs in a transaction on the primary; `work` can run several times (see deadlock-retry). */
  write<T>(
    scope: Scope,
    work: (transaction: Transaction<Schema>) => Promise<T>,
  ): Promise<{ value: T; position: WalPosition }>;
  /** Like `write`, but without the position, which costs a round trip: for callers that only read from the primary. */
  transact<T>(scope: Scope, work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** For reads that must be current and have no position: sessions, the chat, the mailer. */
  primary(scope: Scope): Db;
  /** The server itself, as the login role, which has no access to tables. */
  readonly server: Db;
  /** Whether connections go through a pooler such as PgBouncer, which then limits their number. */
  isPooled(): Promise<boolean>;
  replica(): ReplicaStatus;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type ReadableDatabase = Omit<Database, 'write' | 'transact' | 'close'>;

/**
 * A caller's access to the database: its writes advance its position, its reads respect it. One per request or socket.
 *
 * `position` and `lastWrite` are functions, not getters: V8 keeps what holds a getter of an object literal in the old space,
 * and with it all that the getter reaches, which is the request, until the next full collection.
 */
export interface Caller {
  within(scope: Scope): DatabaseSession;
  /** Only moves forward: of two positions the later one covers both. */
  seeAtLeast(position: WalPosition | undefined): void;
  /** A write of its own is before this position: of an earlier request, which has been repeated. */
  wrote(position: WalPosition): void;
  /** Runs `work` once what has been written is committed: at once, unless that waits for an answer (idempotency-key). */
  afterCommit(work: () => void): void;
  position(): WalPosition | undefined;
  /** This caller's last own write, as opposed to a position that it came with. */
  lastWrite(): WalPosition | undefined;
}

/** A caller within one organisation. */
export interface DatabaseSession {
  read<T>(query: (db: Db) => Promise<T>): Promise<T>;
  write<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  position(): WalPosition | undefined;
}

export function createCaller(database: Pick<Database, 'read' | 'write'>, start?: WalPosition): Caller {
  let position = start;
  let lastWrite: WalPosition | undefined;
  function seeAtLeast(other: WalPosition | undefined): void {
    if (other === undefined) return;
    if (position === undefined || parsePosition(other) > parsePosition(position)) position = other;
  }
  return {
    within: (scope) => ({
      read: (query) => {
        const before = position;
        return database.read(scope, before, query, (correct) => {
          // Its own write after which nobody could say where it was may be a later one than this read knows of.
          if (position === before && position !== lastWrite) position = correct;
        });
      },
      async write(work) {
        const before = position;
        const written = await database.write(scope, work);
        // The caller's position can be garbage or come from a server that no longer exists, so its own write replaces
        // it. But two concurrent writes can finish in either order, and then the later position covers both.
        if (position === before) position = written.position;
        else seeAtLeast(written.position);
        lastWrite = position;
        return written.value;
      },
      position: () => position,
    }),
    seeAtLeast,
    wrote(other) {
      seeAtLeast(other);
      if (position === other) lastWrite = other; // otherwise there is a later one
    },
    afterCommit: (work) => work(),
    position: () => position,
    lastWrite: () => lastWrite,
  };
}

export function createSession(database: Database, scope: Scope, start?: WalPosition): DatabaseSession {
  return createCaller(database, start).within(scope);
}

export interface DatabaseOptions {
  readonly config: Pick<Config, 'databaseUrl' | 'databaseReplicaUrl'>;
  /** The process whose pool sizes and timeouts apply. */
  readonly name: keyof typeof STATEMENT_MS;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function openDatabase({ config, name, log, metrics }: DatabaseOptions): Database {
  const shared = { processName: name, statementMs: STATEMENT_MS[name], log, metrics };
  const primary = openPool('primary', { ...shared, url: config.databaseUrl, max: POOL_PRIMARY[name] });
  const replica = openReplica();
  const retries = metrics.counter('transaction_retries', 'Transactions retried after a deadlock or a lost connection');
  const replicaReads = metrics.counter('reads_replica', 'Reads answered by the replica');
  const staleReads = metrics.counter(
    'reads_stale',
    'Of these: reads answered by a replica that lags too far, because the primary was busy',
  );
  const primaryReads = metrics.counter('reads_primary', 'Reads answered by the primary');
  let furthest = 0n; // where the primary has been seen

  function openReplica() {
    const url = config.databaseReplicaUrl;
    if (url === undefined || POOL_REPLICA[name] === 0) return undefined;
    const pool = openPool('replica', { ...shared, url, max: POOL_REPLICA[name] - 1 }); // the watch uses the other one
    const watch = watchReplica(url, name, log, () => pool.cut('the replica does not answer'));
    const fallback = createSemaphore('reads while the replica is behind', {
      atOnce: POOL_PRIMARY[name] - CONNECTIONS_FOR_WRITES,
      waiting: FALLBACK_READS_WAITING_MAX,
    });
    metrics.measure('replica_lag_seconds', 'How far the replica is behind', () => {
      const { lagMs } = watch.status();
      return lagMs === null ? undefined : lagMs / 1_000;
    });
    metrics.measure('replica_lost', '1 while the replica cannot be used', () =>
      Number(watch.status().state !== 'usable'),
    );
    metrics.gauge(
      'reads_waiting_primary',
      'Reads waiting for the primary because the replica is behind',
      () => fallback.waiting,
    );
    return { pool, watch, fallback };
  }

  /** A browser that keeps the cookie of a server that was set up anew would never be answered by a replica again. */
  async function correctPosition(position: WalPosition, correct: (position: WalPosition) => void): Promise<void> {
    const wanted = parsePosition(position);
    if (wanted <= furthest) return;
    const now = see(await currentPosition(primary.unscoped));
    if (wanted > furthest) correct(now);
  }

  function see(position: WalPosition): WalPosition {
    const place = parsePosition(position);
    if (place > furthest && position !== NEVER_REPLAYED) furthest = place;
    return position;
  }

  async function read<T>(
    scope: Scope,
    position: WalPosition | undefined,
    query: (db: Db) => Promise<T>,
    correct?: (position: WalPosition) => void,
  ): Promise<T> {
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
    return replica.fallback.run(async () => {
      if (position !== undefined && correct !== undefined) await correctPosition(position, correct);
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
        log.warn({ reason }, 'transaction retried');
      },
    );
  }

  return {
    read,
    write: (scope, work) =>
      runTransaction(scope, work, async (value, connection) => ({
        value,
        position: see(await positionAfterCommit(connection)),
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
 * The replica has not replayed far enough after all; or recovery removed rows that the query was reading (40001 on a
 * replica), which cannot happen on the primary; or the connection was lost.
 */
function worthAskingPrimary(error: unknown): boolean {
  return (
    error instanceof NotReplayedError || sqlState(error) === SQLSTATE.serializationFailure || isConnectionLoss(error)
  );
}

/**
 * Read after COMMIT, never inside the transaction: an earlier position could be reached before our write is visible.
 */
async function positionAfterCommit(connection: Db): Promise<WalPosition> {
  try {
    return await currentPosition(connection);
  } catch {
    return NEVER_REPLAYED; // the work is committed: it must not be reported as failed, let alone retried
  }
}

async function currentPosition(connection: Db): Promise<WalPosition> {
  const { rows } = await sql<{ position: WalPosition }>`select ${CURRENT_POSITION} as position`.execute(connection);
  return rows[0]?.position ?? NEVER_REPLAYED;
}
