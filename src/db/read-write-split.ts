/**
 * What it is: reads go to the replica, writes to the primary, and who wrote something always reads it back.
 * What fails without it: under write load nearly half of the reads that follow a write do not see it.
 * How it works: after COMMIT the write-ahead log's position is taken and travels with the caller (cookie, header). A
 *   read that carries a position goes to the replica only when the replica has replayed that far; it waits briefly,
 *   then goes to the primary. A position is a proof; "wait two seconds after a write" would be a hope.
 *   A replica that lags too far, was promoted or does not answer is left out, and taken back by itself.
 * What it costs: one tiny query after each commit; REPLICA_POLL_MS one tiny query on the replica.
 * Its bound: REPLICA_WAIT_MS, REPLICA_LAG_MAX_MS. Its proof: test/db/read-write-split.test.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Transaction } from 'kysely';
import type { Config } from '../config.ts';
import { AppError, sqlState } from '../errors.ts';
import { REPLICA_LAG_MAX_MS, REPLICA_POLL_MS, REPLICA_RETRY_MS, REPLICA_WAIT_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../process/metrics.ts';
import { type Db, openPool } from './database.ts';
import { inTransaction, isConnectionLoss, withRetry } from './deadlock-retry.ts';
import type { Schema } from './schema.ts';

/** A place in the primary's write-ahead log, as PostgreSQL writes it: `16/B374D848`. */
export type WalPosition = string;

export interface Database {
  /** Runs on the replica when it has replayed `position`, else on the primary. `query` may run twice. */
  read<T>(position: WalPosition | undefined, query: (db: Db) => Promise<T>): Promise<T>;
  /** Runs in a transaction on the primary; `work` may run several times (see deadlock-retry). */
  write<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<{ value: T; position: WalPosition }>;
  /** For what must be seen at once and has no position: sessions, the chat. */
  readonly primary: Db;
  replica(): ReplicaStatus;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface ReplicaStatus {
  readonly state: 'none' | 'usable' | 'lagging' | 'promoted' | 'unreachable';
  readonly lagMs: number | null;
}

/** A caller's view: its own writes move its position, its reads respect it. One per request or socket. */
export interface DatabaseSession {
  read<T>(query: (db: Db) => Promise<T>): Promise<T>;
  write<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  readonly position: WalPosition | undefined;
}

export function createSession(database: Database, start?: WalPosition): DatabaseSession {
  let position = start;
  return {
    read: (query) => database.read(position, query),
    async write(work) {
      const before = position;
      const written = await database.write(work);
      // Two writes at once may answer in the other order: the later position holds for both.
      const overtaken = position !== undefined && position !== before;
      if (!overtaken || parsePosition(written.position) > parsePosition(position as WalPosition)) {
        position = written.position;
      }
      return written.value;
    },
    get position() {
      return position;
    },
  };
}

export interface DatabaseOptions {
  readonly config: Pick<Config, 'databaseUrl' | 'databaseReplicaUrl'>;
  readonly processName: string;
  readonly primaryMax: number;
  /** 0: this process never reads from the replica. */
  readonly replicaMax: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function openDatabase(options: DatabaseOptions): Database {
  const { config, log, metrics } = options;
  const shared = { processName: options.processName, log, metrics };
  const primary = openPool('primary', { ...shared, url: config.databaseUrl, max: options.primaryMax });
  const replica =
    config.databaseReplicaUrl === undefined || options.replicaMax === 0
      ? undefined
      : openPool('replica', { ...shared, url: config.databaseReplicaUrl, max: options.replicaMax });
  const watch = replica === undefined ? undefined : watchReplica(replica.db.withoutPlugins(), log);
  const retries = metrics.counter(
    'transaction_retries',
    'Transactions run again after a deadlock or a lost connection',
  );
  const replicaReads = metrics.counter('reads_replica', 'Reads answered by the replica');
  const primaryReads = metrics.counter('reads_primary', 'Reads answered by the primary');

  async function read<T>(position: WalPosition | undefined, query: (db: Db) => Promise<T>): Promise<T> {
    if (replica !== undefined && watch !== undefined && (await watch.hasReplayed(position))) {
      try {
        const value = await query(replica.db);
        replicaReads.inc();
        return value;
      } catch (error) {
        // 40001 on a replica: recovery needed the rows that this query was reading. It will not say so twice on the primary.
        if (sqlState(error) !== '40001' && !isConnectionLoss(error)) throw error;
        if (sqlState(error) !== '40001') watch.lost(error);
      }
    }
    primaryReads.inc();
    return query(primary.db);
  }

  return {
    read,
    write: (work) =>
      withRetry(
        () =>
          primary.db.connection().execute(async (connection) => {
            const value = await inTransaction(connection, work);
            return { value, position: await positionAfterCommit(connection) };
          }),
        (reason) => {
          retries.inc();
          log.warn({ reason }, 'transaction run again');
        },
      ),
    primary: primary.db,
    replica: () => watch?.status() ?? { state: 'none', lagMs: null },
    ping: async () => void (await sql`select 1`.execute(primary.db)),
    async close() {
      watch?.stop();
      await Promise.all([primary.pool.end(), replica?.pool.end()]);
    },
  };
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

interface ReplicaWatch {
  /** Whether a read that must see `position` may go to the replica; waits up to REPLICA_WAIT_MS for it. */
  hasReplayed(position: WalPosition | undefined): Promise<boolean>;
  lost(error: unknown): void;
  status(): ReplicaStatus;
  stop(): void;
}

function watchReplica(db: Db, log: Log): ReplicaWatch {
  let state: ReplicaStatus['state'] = 'unreachable'; // until it has answered once: a replica missing at boot is not "caught up"
  let lagMs: number | null = null;
  let replayed = 0n;
  let stopped = false;
  let timer: NodeJS.Timeout;

  async function look(): Promise<void> {
    const { rows } = await REPLICA_POSITION.execute(db);
    const row = rows[0] as ReplicaPosition;
    lagMs = Math.round(row.lag_ms);
    replayed = row.replayed === null ? 0n : parsePosition(row.replayed);
    become(!row.in_recovery ? 'promoted' : lagMs > REPLICA_LAG_MAX_MS ? 'lagging' : 'usable');
  }

  function become(next: ReplicaStatus['state']): void {
    if (next !== state)
      log[next === 'usable' ? 'info' : 'warn']({ from: state, to: next, lagMs }, 'replica state changed');
    state = next;
  }

  function lost(error: unknown): void {
    // Our own pool is full: that says nothing about the replica, and the last look still holds.
    if (error instanceof AppError) return;
    lagMs = null;
    if (state !== 'unreachable') log.warn({ err: error }, 'replica lost; reads go to the primary');
    state = 'unreachable';
  }

  async function poll(): Promise<void> {
    await look().catch(lost);
    if (!stopped) timer = setTimeout(poll, state === 'unreachable' ? REPLICA_RETRY_MS : REPLICA_POLL_MS).unref();
  }
  void poll();

  return {
    async hasReplayed(position) {
      if (state !== 'usable') return false;
      if (position === undefined) return true;
      const wanted = parsePosition(position);
      const deadline = performance.now() + REPLICA_WAIT_MS;
      while (replayed < wanted && state === 'usable' && performance.now() < deadline) {
        await look().catch(lost);
        if (replayed < wanted) await sleep(2);
      }
      return state === 'usable' && replayed >= wanted;
    },
    lost,
    status: () => ({ state, lagMs }),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

type ReplicaPosition = { in_recovery: boolean; replayed: WalPosition | null; lag_ms: number };

// On a quiet primary nothing is replayed for minutes: everything received and replayed means no lag, whatever the clock says.
const REPLICA_POSITION = sql<ReplicaPosition>`
  select pg_is_in_recovery() as in_recovery,
         pg_last_wal_replay_lsn()::text as replayed,
         case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
              else coalesce(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000, 0) end::float8 as lag_ms`;

/** `16/B374D848` to a number that can be compared. Anything else counts as the far future: the primary answers. */
export function parsePosition(position: WalPosition): bigint {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(position);
  return match === null ? 1n << 64n : (BigInt(`0x${match[1]}`) << 32n) + BigInt(`0x${match[2]}`);
}
