/**
 * Tracks how far the replica has replayed, and whether it can be used at all. It has its own connection, so that
 * neither a full pool nor a server that hangs in the middle of an answer can hide the state. Each poll is bounded by
 * REPLICA_ANSWER_MS, and all callers that wait for the replica to catch up share one poll at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import {
  REPLICA_ANSWER_MS,
  REPLICA_CATCHES_UP_MS,
  REPLICA_LAG_MAX_MS,
  REPLICA_POLL_MS,
  REPLICA_RETRY_MS,
  REPLICA_WAIT_MS,
  REPLICA_WAIT_STEP_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import { within } from '../within.ts';
import { NEVER_REPLAYED, parsePosition, REPLAY_TIMELINE, type WalPosition } from './failover-position.ts';
import { endConnection } from './pg-internals.ts';

export interface ReplicaStatus {
  /** `lagging`: more than REPLICA_LAG_MAX_MS behind. `promoted`: it is not a replica, or no longer one. */
  readonly state: 'none' | 'usable' | 'lagging' | 'promoted' | 'unreachable';
  readonly lagMs: number | null;
}

export interface ReplicaWatch {
  /** Whether a read that must see `position` can go to the replica; waits up to REPLICA_WAIT_MS if that can help. */
  hasReplayed(position: WalPosition | undefined): Promise<boolean>;
  /**
   * The outcome of `work`, which queries the replica; rejects as a lost connection as soon as the replica is known to
   * be down.
   */
  unlessLost<T>(work: Promise<T>): Promise<T>;
  /** A query on the replica failed: poll now instead of at the next interval. */
  suspect(): void;
  status(): ReplicaStatus;
  stop(): Promise<void>;
}

/** `onLost`: every other connection to the address may be as dead, or lead to a server that has been promoted. */
export function watchReplica(url: string, processName: string, log: Log, onLost: () => void): ReplicaWatch {
  let state: ReplicaStatus['state'] = 'unreachable'; // until it has answered once: a replica that is missing at start is not "caught up"
  let lagMs: number | null = null;
  let replayed = 0n;
  let seenAt: number | undefined;
  let levelAt: number | undefined; // when it had last replayed everything that it had received
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let client: Client | undefined;
  let looking: Promise<void> | undefined;
  const atWork = new Set<(reason: Error) => void>();

  /** Concurrent callers share one poll. Never rejects. */
  function look(): Promise<void> {
    looking ??= ask()
      .then(judge, lost)
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  /** Bounded by `within` instead of pg's own timers, which would blame the replica for a pause of this process. */
  async function ask(): Promise<ReplicaPosition> {
    const position = await within(REPLICA_ANSWER_MS, answer());
    if (position === undefined) throw new Error(`The replica has not answered for ${REPLICA_ANSWER_MS} ms`);
    return position;
  }

  async function answer(): Promise<ReplicaPosition> {
    const isNew = client === undefined;
    client ??= createClient(url, processName);
    const asked = client;
    if (isNew) await asked.connect();
    const { rows } = await asked.query<ReplicaPosition>(REPLICA_POSITION);
    return rows[0] as ReplicaPosition;
  }

  function judge(position: ReplicaPosition): void {
    const now = performance.now();
    if (position.level) levelAt = now;
    lagMs = position.level ? 0 : Math.round(lagOf(position.age_ms, now));
    replayed = position.replayed === null ? 0n : parsePosition(position.replayed);
    if (!position.in_recovery) leave();
    become(!position.in_recovery ? 'promoted' : lagMs > REPLICA_LAG_MAX_MS ? 'lagging' : 'usable');
  }

  /** After a failover the same address leads to another server, but only for those who connect again. */
  function leave(): void {
    if (state !== 'promoted') onLost();
    if (client !== undefined) endConnection(client, 'the replica was promoted');
    client = undefined;
    replayed = 0n;
    levelAt = seenAt = undefined;
  }

  /**
   * By the age of its last replayed commit alone, a replica of a primary that was idle for an hour would seem an hour
   * behind while it replays the next one. So the lag is at most the time since it was last level. If it was never seen
   * level and has replayed nothing since it started, it lags by the time since we first polled it.
   */
  function lagOf(ageMs: number | null, now: number): number {
    seenAt ??= now;
    if (levelAt === undefined) return ageMs ?? now - seenAt;
    return Math.min(ageMs ?? Number.POSITIVE_INFINITY, now - levelAt);
  }

  function lost(error: unknown): void {
    if (client !== undefined) endConnection(client, 'the replica does not answer');
    client = undefined;
    lagMs = null;
    if (stopped) return;
    become('unreachable', error);
    onLost();
    // Callers waiting for an answer, or for a connection that will not come, need not wait any longer.
    for (const reject of atWork) reject(new Error('Connection terminated: the replica does not answer'));
  }

  function become(next: ReplicaStatus['state'], error?: unknown): void {
    if (next !== state)
      log[next === 'usable' ? 'info' : 'warn']({ from: state, to: next, lagMs, err: error }, 'replica state changed');
    state = next;
  }

  async function poll(): Promise<void> {
    await look();
    if (!stopped)
      timer = setTimeout(
        poll,
        state === 'unreachable' || state === 'promoted' ? REPLICA_RETRY_MS : REPLICA_POLL_MS,
      ).unref();
  }
  void poll();

  return {
    async hasReplayed(position) {
      if (state !== 'usable') return false;
      if (position === undefined) return true;
      const wanted = parsePosition(position);
      if (wanted >= NEVER) return false;
      const deadline = performance.now() + REPLICA_WAIT_MS;
      while (replayed < wanted) {
        await look();
        if (state !== 'usable') return false;
        if (replayed >= wanted) break;
        // A replica that is far behind will not catch up in time: do not make every reader wait for nothing.
        if (performance.now() >= deadline || (lagMs ?? 0) > REPLICA_CATCHES_UP_MS) return false;
        await sleep(REPLICA_WAIT_STEP_MS);
      }
      return true;
    },
    unlessLost: (work) =>
      new Promise((resolve, reject) => {
        atWork.add(reject);
        const settle =
          <T>(answer: (given: T) => void) =>
          (given: T) => {
            atWork.delete(reject);
            answer(given);
          };
        work.then(settle(resolve), settle(reject));
      }),
    suspect: () => void look(),
    status: () => ({ state, lagMs }),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking;
      await client?.end().catch(() => undefined);
    },
  };
}

const NEVER = parsePosition(NEVER_REPLAYED);

function createClient(url: string, processName: string): Client {
  const client = new Client({
    connectionString: url,
    application_name: `tardigrade-${processName}-watch`,
    keepAlive: true,
  });
  client.on('error', () => undefined); // the next poll fails and reports it
  return client;
}

type ReplicaPosition = { in_recovery: boolean; replayed: WalPosition | null; level: boolean; age_ms: number | null };

const REPLICA_POSITION = {
  name: 'replica-position',
  text: `
    select pg_is_in_recovery() as in_recovery,
           ${REPLAY_TIMELINE} || ':' || pg_last_wal_replay_lsn() as replayed,
           coalesce(pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn(), false) as level,
           (extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::float8 as age_ms`,
};
