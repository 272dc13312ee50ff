/**
 * What it is: at most so many passes a second, evenly spaced, and fewer once the other side has said that it is too many.
 * What fails without it: a burst exceeds the rate that a provider has agreed to, and it refuses or drops the excess.
 * How it works: each caller gets a time slot and waits for it; slots are assigned in order. After a refusal the rate is
 *   cut to a part of what was taken in the last second, and then grows evenly back to the full one: additive increase,
 *   multiplicative decrease. Refusals within a second of a cut answer to mails from before it.
 * What it costs: the wait. Its bound: (callers waiting / perSecond) seconds; the caller limits how many wait.
 * Its proof: test/flow/throttle.test.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Throttle {
  /** Resolves when the caller may proceed; rejects when `signal` aborts first. */
  pass(signal?: AbortSignal): Promise<void>;
  /** The other side has refused because of the rate; `takenPerSecond` is what it took of us in the last second. */
  slowDown(takenPerSecond: number): void;
  readonly perSecond: number;
}

export interface Pace {
  /** How much of an unused rate can be caught up on. */
  readonly burstMs: number;
  readonly decrease: number;
  readonly growthSeconds: number;
  readonly min: number;
}

export function createThrottle(perSecond: number, pace: Pace, clock: Clock = SYSTEM_CLOCK): Throttle {
  let nextAt = clock.now();
  let cut: { readonly rate: number; readonly at: number } | undefined;
  const rateAt = (now: number) =>
    cut === undefined ? perSecond : Math.min(perSecond, cut.rate * (1 + (now - cut.at) / (pace.growthSeconds * 1_000)));
  return {
    async pass(signal) {
      const now = clock.now();
      nextAt = Math.max(nextAt, now - pace.burstMs) + 1_000 / rateAt(now);
      const waitMs = nextAt - now;
      if (waitMs > 0) await clock.sleep(waitMs, signal);
    },
    slowDown(takenPerSecond) {
      const now = clock.now();
      if (cut !== undefined && now - cut.at < 1_000) return;
      cut = { rate: lowerRate(rateAt(now), takenPerSecond, pace), at: now };
    },
    get perSecond() {
      return rateAt(clock.now());
    },
  };
}

/** If nothing was taken in the last second, it says nothing about how much would be. */
export function lowerRate(rate: number, takenPerSecond: number, { decrease, min }: Pace): number {
  return Math.max(min, takenPerSecond > 0 ? decrease * Math.min(rate, takenPerSecond) : rate / 2);
}

export interface Clock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
};
