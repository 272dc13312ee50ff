/**
 * What it is: a token bucket: on average at most `perSecond` passes a second, with bursts of at most one second's
 *   worth.
 * What fails without it: a burst exceeds the mail provider's agreed rate, and the provider drops the excess.
 * How it works: each caller gets a time slot and waits for it; slots are assigned in order.
 * What it costs: the wait. Its bound: (callers waiting / perSecond) seconds; the caller limits how many wait.
 */
export interface Throttle {
  /** Resolves when the caller may proceed; rejects when `signal` aborts first. */
  pass(signal?: AbortSignal): Promise<void>;
}

export function createThrottle(perSecond: number, clock: Clock = SYSTEM_CLOCK): Throttle {
  const spacingMs = 1_000 / perSecond;
  let nextAt = clock.now();
  return {
    async pass(signal) {
      const now = clock.now();
      // At most one idle second can be spent as a burst.
      nextAt = Math.max(nextAt, now - 1_000) + spacingMs;
      const waitMs = nextAt - now;
      if (waitMs > 0) await clock.sleep(waitMs, signal);
    },
  };
}

export interface Clock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

import { setTimeout as sleep } from 'node:timers/promises';

const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
};
