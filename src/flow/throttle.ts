/**
 * What it is: a token bucket; at most `perSecond` passes a second on average, with a burst of one second's worth at most.
 * What fails without it: the mail provider sees a burst above the agreed rate and drops what is over it.
 * How it works: each caller is given a place in time and waits for it; places are handed out in order.
 * What it costs: the wait. Its bound: callers wait at most (callers in line / perSecond); the line is the caller's own.
 */
export interface Throttle {
  /** Resolves when the caller may go on; rejects when `signal` aborts first. */
  pass(signal?: AbortSignal): Promise<void>;
}

export function createThrottle(perSecond: number, clock: Clock = SYSTEM_CLOCK): Throttle {
  const spacingMs = 1_000 / perSecond;
  let nextAt = clock.now();
  return {
    async pass(signal) {
      const now = clock.now();
      // An idle second may be spent as a burst, no more.
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
