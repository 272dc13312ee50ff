/**
 * What it is: at most n attempts per minute and key (fixed window).
 * What fails without it: passwords are guessed by the thousand, and each guess costs 19 MiB and 50 ms of hashing.
 * How it works: a counter per key in a bounded LRU map. Each process counts separately, so n instances allow n times as
 *   many.
 * What it costs: one map entry per key. Its bound: RATE_LIMIT_KEYS_MAX. Its proof: test/http/rate-limit.test.ts.
 */
import { LRUCache } from 'lru-cache';
import { AppError } from '../errors.ts';
import { RATE_LIMIT_KEYS_MAX } from '../limits.ts';

const WINDOW_MS = 60_000;

export interface RateLimit {
  /** Counts one attempt; when there were too many, throws AppError `rate_limited` with the seconds left to wait. */
  count(key: string): void;
  /** Resets a key, for example after a successful sign-in. */
  forget(key: string): void;
}

export function createRateLimit(what: string, perMinuteMax: number): RateLimit {
  const windows = new LRUCache<string, { tries: number }>({ max: RATE_LIMIT_KEYS_MAX, ttl: WINDOW_MS });
  return {
    count(key) {
      const window = windows.get(key);
      if (window === undefined) return void windows.set(key, { tries: 1 });
      if (++window.tries > perMinuteMax) {
        const seconds = Math.ceil(windows.getRemainingTTL(key) / 1000);
        throw new AppError('rate_limited', `Too many ${what}. Try again in ${seconds} seconds.`, {
          retryAfterSeconds: seconds,
        });
      }
    },
    forget: (key) => void windows.delete(key),
  };
}
