/**
 * What it is: one rate for all processes together: at most so many passes a second, whoever asks for them.
 * What fails without it: each process keeps to the provider's rate by itself, and two of them send twice as much.
 * How it works: Redis holds the time of the next free slot. A process reserves a few slots at a time in one script, by
 *   the clock of Redis, and uses them one after the other, so Redis is asked for a batch and not for each mail. A cut of
 *   the rate (see src/flow/throttle.ts) is shared in the same way. While Redis does not answer, each process falls back
 *   to its own share of the rate.
 * What it costs: one round trip per `batchMs`. Slots that a process reserved and did not use are lost.
 * Its bound: the rate; `batchMs` and `batchMax` of reserved slots; MAIL_RATE_KEPT_SECONDS for what Redis remembers.
 * Its proof: test/redis/shared-throttle.test.ts, bench/patterns/shared-throttle.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createThrottle, type Pace, type Throttle } from '../flow/throttle.ts';

export interface SharedPace extends Pace {
  readonly batchMs: number;
  readonly batchMax: number;
  readonly keptSeconds: number;
  /** How long a process goes its own way after Redis has not answered. */
  readonly aloneMs: number;
}

/** `processes`: how many share the rate, for the time without Redis. */
export function createSharedThrottle(
  redis: Redis,
  { name, perSecond, processes, pace }: { name: string; perSecond: number; processes: number; pace: SharedPace },
): Throttle {
  const key = `tardigrade:throttle:${name}`;
  const alone = createThrottle(perSecond / Math.max(1, processes), pace);
  let rate = perSecond;
  let slots: number[] = [];
  let reserving: Promise<void> | undefined;
  let aloneUntil = 0;

  async function reserve(): Promise<void> {
    const [waitMs, spacingMs, count] = (await redis.eval(
      RESERVE,
      1,
      key,
      ...[perSecond, pace.burstMs, pace.batchMs, pace.batchMax, pace.growthSeconds, pace.keptSeconds],
    )) as [string, string, number];
    rate = 1_000 / Number(spacingMs);
    const first = performance.now() + Number(waitMs);
    slots = Array.from({ length: count }, (_, index) => first + index * Number(spacingMs));
  }

  /** When the caller may proceed; undefined while Redis does not answer. */
  async function nextSlot(): Promise<number | undefined> {
    for (;;) {
      const slot = slots.shift();
      if (slot !== undefined) return slot;
      if (performance.now() < aloneUntil) return undefined;
      reserving ??= reserve().finally(() => {
        reserving = undefined;
      });
      try {
        await reserving;
      } catch {
        aloneUntil = performance.now() + pace.aloneMs;
        return undefined;
      }
    }
  }

  return {
    async pass(signal) {
      const slot = await nextSlot();
      if (slot === undefined) return alone.pass(signal);
      const waitMs = slot - performance.now();
      if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
      else signal?.throwIfAborted();
    },
    slowDown(takenPerSecond) {
      alone.slowDown(takenPerSecond);
      slots = [];
      const arguments_ = [perSecond, takenPerSecond * Math.max(1, processes), pace.decrease, pace.min];
      redis.eval(SLOW_DOWN, 1, key, ...arguments_, pace.growthSeconds, pace.keptSeconds).catch(() => undefined); // then it is slowed down here at least, and by the others' own refusals
    },
    get perSecond() {
      return rate;
    },
  };
}

const RATE = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local stored = redis.call('HMGET', KEYS[1], 'next', 'rate', 'since')
  local function rate_now(full, growth)
    if not stored[2] then return full end
    return math.min(full, stored[2] * (1 + (now - stored[3]) / (growth * 1000)))
  end`;

const RESERVE = `${RATE}
  local full, burst, batch_ms, batch_max, growth, kept = unpack(ARGV)
  local rate = rate_now(tonumber(full), growth)
  local count = math.max(1, math.min(tonumber(batch_max), math.floor(rate * batch_ms / 1000)))
  local start = math.max(tonumber(stored[1] or 0), now - burst)
  redis.call('HSET', KEYS[1], 'next', string.format('%.3f', start + count * 1000 / rate))
  redis.call('EXPIRE', KEYS[1], kept)
  return { string.format('%.3f', start - now), string.format('%.6f', 1000 / rate), count }`;

const SLOW_DOWN = `${RATE}
  local full, taken, decrease, min, growth, kept = unpack(ARGV)
  if stored[3] and now - stored[3] < 1000 then return end
  local rate = rate_now(tonumber(full), growth)
  taken = tonumber(taken)
  local lower = taken > 0 and decrease * math.min(rate, taken) or rate / 2
  redis.call('HSET', KEYS[1], 'rate', math.max(tonumber(min), lower), 'since', string.format('%.3f', now), 'next', string.format('%.3f', now))
  redis.call('EXPIRE', KEYS[1], kept)`;
