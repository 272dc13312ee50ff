/**
 * What it is: counters that all processes share, each with a maximum and a time window: a limit is one limit, however
 *   many processes there are.
 * What fails without it: two instances let through twice as many guesses, ten instances ten times, and each restart of a
 *   deploy begins at zero.
 * How it works: one script takes as much of the window as is left, and starts the window with the first taking. The
 *   caller waits for Redis no longer than SHARED_COUNT_MS. When Redis is down, silent or full, nobody waits any more:
 *   callers count by themselves, and one of them asks again every SHARED_COUNTS_AGAIN_MS. An answer that was only late
 *   ends that at once, and the caller hears it then: Redis has counted. Keys are hashed: whose they are is nobody's
 *   business in Redis. Above SHARED_COUNTS_MEMORY_SHARE of its memory nothing new is kept, because somebody with many
 *   networks could otherwise fill it, and the queues need it more.
 * What it costs: a round trip per taking, and about 150 bytes of Redis per key until its window ends.
 * Its bound: SHARED_COUNT_MS, SHARED_COUNTS_AGAIN_MS, SHARED_COUNTS_MEMORY_SHARE.
 * Its proof: test/redis/shared-counts.test.ts, bench/patterns/rate-limit.
 *
 * rate-limiter-flexible (11.4.0: well kept, no dependencies, 692 kB) has such counters, with insuranceLimiter a fallback,
 * and with RLWrapperTimeouts a time limit. While Redis is silent, every request waits for that limit, and its command for
 * the client's own; it asks Redis for each attempt, and grants all of several or none. To wait once and not each time,
 * batches and the guard of the memory would have to be written around it: that is all of this file but the two scripts.
 */
import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { SharedCounts, Taken } from '../flow/shared-counts.ts';
import { SHARED_COUNT_MS, SHARED_COUNTS_AGAIN_MS } from '../limits.ts';
import { within } from '../within.ts';

/** `isFull`: Redis has no room for more of this. */
export function createSharedCounts(
  redis: Redis,
  { isFull = () => false, waitMs = SHARED_COUNT_MS }: { isFull?: () => boolean; waitMs?: number } = {},
): SharedCounts {
  let aloneUntil = 0;
  const again = () => {
    aloneUntil = performance.now() + SHARED_COUNTS_AGAIN_MS;
  };
  const answered = () => {
    aloneUntil = 0;
  };

  async function ask(key: string, wanted: number, max: number, windowMs: number): Promise<Taken> {
    const answer = await redis.eval(TAKE, 1, keyOf(key), wanted, max, windowMs);
    const [granted, left, windowEndsInMs] = answer as [number, number, number];
    return { granted, left, windowEndsInMs };
  }

  return {
    async take(key, wanted, max, windowMs, late = () => undefined) {
      if (isFull() || aloneUntil > performance.now()) return undefined;
      if (aloneUntil > 0) again(); // this one tries, and the others do not wait for it
      const asking = ask(key, wanted, max, windowMs);
      asking.then(answered, () => undefined);
      const taken = await within(waitMs, asking).catch(() => undefined);
      if (taken !== undefined) return taken;
      again();
      asking.then(late, () => undefined);
      return undefined;
    },
    giveBack: (key, count = 1) =>
      void (aloneUntil > 0 || redis.eval(GIVE_BACK, 1, keyOf(key), count).catch(() => undefined)),
    forget: (key) => void (aloneUntil > 0 || redis.del(keyOf(key)).catch(() => undefined)),
    get isAlone() {
      return isFull() || aloneUntil > 0;
    },
  };
}

function keyOf(key: string): string {
  return `tardigrade:count:${hash('sha256', key, 'base64url').slice(0, KEY_CHARS)}`;
}

const KEY_CHARS = 22; // 132 bits

const TAKE = `
  local wanted, max, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
  local stored = redis.call('GET', KEYS[1])
  local taken = tonumber(stored or 0)
  local granted = math.max(0, math.min(wanted, max - taken))
  if not stored then redis.call('SET', KEYS[1], granted, 'PX', window)
  elseif granted > 0 then redis.call('INCRBY', KEYS[1], granted) end
  return { granted, math.max(0, max - taken - granted), redis.call('PTTL', KEYS[1]) }`;

const GIVE_BACK = `
  local count = math.min(tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or 0))
  if count > 0 then redis.call('DECRBY', KEYS[1], count) end`;
