/**
 * What it is: at most n attempts per key within a time window (fixed window).
 * What fails without it: passwords are guessed by the thousand, and each guess costs 19 MiB and 50 ms of hashing.
 * How it works: a counter per key in a bounded LRU map. Answers say what is left (draft-ietf-httpapi-ratelimit-headers).
 *   Keys that stand for an address are networks (src/process/client-address.ts). Each process counts separately, so n
 *   instances allow n times as many.
 * What it costs: one map entry per key. Its bound: RATE_LIMIT_KEYS_MAX.
 * Its proof: test/http/rate-limit.test.ts, bench/patterns/rate-limit.
 */
import type { FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import { AppError } from '../errors.ts';
import { RATE_LIMIT_KEYS_MAX } from '../limits.ts';

const MINUTE_MS = 60_000;

export interface RateLimit {
  /**
   * Counts one attempt, and says on `reply` what is left; when there were too many, throws AppError `rate_limited` with
   * the seconds left to wait.
   */
  count(key: string, reply?: FastifyReply): void;
  /** Throws as `count` does, without counting: for an attempt whose outcome decides whether it counts. */
  refuseUsedUp(key: string): void;
  /** Takes one attempt back. */
  refund(key: string): void;
  /** Resets a key, for example after a successful sign-in. */
  forget(key: string): void;
}

/** `what` completes "Too many …", and names the limit in the headers. */
export function createRateLimit(what: string, max: number, windowMs = MINUTE_MS): RateLimit {
  const windows = new LRUCache<string, { tries: number }>({ max: RATE_LIMIT_KEYS_MAX, ttl: windowMs });
  const policy = `"${what}";q=${max};w=${windowMs / 1_000}`;
  const secondsLeft = (key: string) => Math.ceil((windows.getRemainingTTL(key) || windowMs) / 1_000);

  function refuse(key: string): never {
    const seconds = secondsLeft(key);
    const wait = seconds > 120 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} seconds`;
    throw new AppError('rate_limited', `Too many ${what}. Try again in ${wait}.`, { retryAfterSeconds: seconds });
  }

  return {
    count(key, reply) {
      let window = windows.get(key);
      if (window === undefined) {
        window = { tries: 0 };
        windows.set(key, window);
      }
      window.tries++;
      reply?.header('ratelimit-policy', policy);
      reply?.header('ratelimit', `"${what}";r=${Math.max(0, max - window.tries)};t=${secondsLeft(key)}`);
      if (window.tries > max) refuse(key);
    },
    refuseUsedUp(key) {
      if ((windows.get(key)?.tries ?? 0) >= max) refuse(key);
    },
    refund(key) {
      const window = windows.get(key);
      if (window !== undefined) window.tries = Math.max(0, window.tries - 1);
    },
    forget: (key) => void windows.delete(key),
  };
}
