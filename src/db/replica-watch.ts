/**
 * How far the replica is, and whether it may be read at all. It has a connection of its own, so that neither a full pool
 * nor a server that went silent in the middle of an answer can hide the state; every look is bounded by
 * REPLICA_ANSWER_MS, and everybody who waits for the replica to catch up shares one look at a time.
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
import { endConnection } from './pg-internals.ts';

/** A place in the primary's write-ahead log, as PostgreSQL writes it: `16/B374D848`. */
export type WalPosition = string;

export interface ReplicaStatus {
  /** `lagging`: more than REPLICA_LAG_MAX_MS behind. `promoted`: it is no replica (any more), or never was one. */
  readonly state: 'none' | 'usable' | 'lagging' | 'promoted' | 'unreachable';
  readonly lagMs: number | null;
}

export interface ReplicaWatch {
  /** Whether a read that must see `position` may go to the replica; waits up to REPLICA_WAIT_MS where that can help. */
  hasReplayed(position: WalPosition | undefined): Promise<boolean>;
  /** The outcome of `work`, which asks the replica; rejects with a lost connection as soon as the replica is known to be gone. */
  unlessLost<T>(work: Promise<T>): Promise<T>;
  /** A query on it failed: look now, not at the next turn. */
  suspect(): void;
  status(): ReplicaStatus;
  stop(): Promise<void>;
}

export function watchReplica(url: string, processName: string, log: Log, onLost: () => void): ReplicaWatch {
  let state: ReplicaStatus['state'] = 'unreachable'; // until it has answered once: a replica missing at boot is not "caught up"
  let lagMs: number | null = null;
  let replayed = 0n;
  let seenAt: number | undefined;
  let levelAt: number | undefined; // when it last had replayed all that it had received
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let client: Client | undefined;
  let looking: Promise<void> | undefined;
  const atWork = new Set<(reason: Error) => void>();

  /** Whoever comes while a look is under way shares it. Never rejects. */
  function look(): Promise<void> {
    looking ??= ask()
      .then(judge, lost)
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  async function ask(): Promise<ReplicaPosition> {
    client ??= await connect(url, processName);
    const { rows } = await client.query<ReplicaPosition>(REPLICA_POSITION);
    return rows[0] as ReplicaPosition;
  }

  function judge(position: ReplicaPosition): void {
    const now = performance.now();
    if (position.level) levelAt = now;
    lagMs = position.level ? 0 : Math.round(lagOf(position.age_ms, now));
    replayed = position.replayed === null ? 0n : parsePosition(position.replayed);
    become(!position.in_recovery ? 'promoted' : lagMs > REPLICA_LAG_MAX_MS ? 'lagging' : 'usable');
  }

  /**
   * By the age of the last commit that it replayed, a replica of a primary that slept for an hour would be an hour behind
   * while it replays the next one: it is no further behind than the time since it was level. One that was never seen
   * level, and has replayed nothing since it started, is behind for as long as we have been looking.
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
    // Who waits for an answer, or for a connection that will not come, need not wait any longer.
    for (const reject of atWork) reject(new Error('Connection terminated: the replica does not answer'));
  }

  function become(next: ReplicaStatus['state'], error?: unknown): void {
    if (next !== state)
      log[next === 'usable' ? 'info' : 'warn']({ from: state, to: next, lagMs, err: error }, 'replica state changed');
    state = next;
  }

  async function poll(): Promise<void> {
    await look();
    if (!stopped) timer = setTimeout(poll, state === 'unreachable' ? REPLICA_RETRY_MS : REPLICA_POLL_MS).unref();
  }
  void poll();

  return {
    async hasReplayed(position) {
      if (state !== 'usable') return false;
      if (position === undefined) return true;
      const wanted = parsePosition(position);
      const deadline = performance.now() + REPLICA_WAIT_MS;
      while (replayed < wanted) {
        await look();
        if (state !== 'usable') return false;
        if (replayed >= wanted) break;
        // One that is far behind will not be there in time: no need to let every reader wait for nothing.
        if (performance.now() >= deadline || (lagMs ?? 0) > REPLICA_CATCHES_UP_MS) return false;
        await sleep(REPLICA_WAIT_STEP_MS);
      }
      return true;
    },
    unlessLost: (work) =>
      new Promise((resolve, reject) => {
        atWork.add(reject);
        work.then(resolve, reject).finally(() => atWork.delete(reject));
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

async function connect(url: string, processName: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    application_name: `tardigrade-${processName}-watch`,
    connectionTimeoutMillis: REPLICA_ANSWER_MS,
    query_timeout: REPLICA_ANSWER_MS,
    keepAlive: true,
  });
  client.on('error', () => undefined); // the next look fails and says so
  await client.connect();
  return client;
}

type ReplicaPosition = { in_recovery: boolean; replayed: WalPosition | null; level: boolean; age_ms: number | null };

const REPLICA_POSITION = {
  name: 'replica-position',
  text: `
    select pg_is_in_recovery() as in_recovery,
           pg_last_wal_replay_lsn()::text as replayed,
           coalesce(pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn(), false) as level,
           (extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::float8 as age_ms`,
};

/** `16/B374D848` to a number that can be compared. Anything else counts as the far future: the primary answers. */
export function parsePosition(position: WalPosition): bigint {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(position);
  return match === null ? 1n << 64n : (BigInt(`0x${match[1]}`) << 32n) + BigInt(`0x${match[2]}`);
}
