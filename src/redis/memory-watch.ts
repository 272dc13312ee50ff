/**
 * What it is: how full Redis is, so that nothing more is put into it when it is nearly so.
 * What fails without it: with `noeviction` a full Redis refuses every write, also those that would take jobs out of it:
 *   producers that go on until then stop the consumers as well, while every PING is answered.
 * How it works: INFO is read every `everyMs`. From ADMISSION_SHARE of maxmemory on, producers are refused (openQueue),
 *   and what they wanted to add waits where it came from, in PostgreSQL; the rest of the memory is for jobs to move on.
 * What it costs: one command per `everyMs`. Its bound: what is added between two reads.
 * Its proof: test/redis/memory-watch.test.ts, and a full one under the mailer's own tests.
 */
import type { Redis } from 'ioredis';
import { REDIS_ADMISSION_SHARE, REDIS_MEMORY_EVERY_MS } from '../limits.ts';
import type { Log } from '../log.ts';

export interface MemoryWatch {
  /** Of maxmemory; 0 without one, or before it is known. */
  readonly share: number;
  /** Nothing more may be added. */
  readonly isNearlyFull: boolean;
  /** For readiness: rejects, with what to do, while Redis refuses every write. */
  check(): Promise<void>;
  stop(): void;
}

export function watchMemory(redis: Redis, log: Log, everyMs = REDIS_MEMORY_EVERY_MS): MemoryWatch {
  let share = 0;
  async function read(): Promise<void> {
    const before = share;
    share = await memoryShare(redis).catch(() => before); // whoever needs Redis says so itself
    if (share >= REDIS_ADMISSION_SHARE && before < REDIS_ADMISSION_SHARE)
      log.error({ share }, 'Redis is nearly full: nothing more is queued until it has room, or a higher maxmemory');
    if (share < REDIS_ADMISSION_SHARE && before >= REDIS_ADMISSION_SHARE) log.info({ share }, 'Redis has room again');
  }
  void read();
  const timer = setInterval(read, everyMs);
  return {
    get share() {
      return share;
    },
    get isNearlyFull() {
      return share >= REDIS_ADMISSION_SHARE;
    },
    async check() {
      if (share >= 1) throw new Error('Redis is full and refuses every write: give it more maxmemory');
    },
    stop: () => clearInterval(timer),
  };
}

export async function memoryShare(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  const numberOf = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const max = numberOf('maxmemory');
  return max > 0 ? numberOf('used_memory') / max : 0;
}
