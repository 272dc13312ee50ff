/**
 * What it is: at most n attempts per key within a time window (fixed window), of all processes together.
 * What fails without it: passwords are guessed by the thousand, and each guess costs 19 MiB and 50 ms of hashing.
 * How it works: attempts are counted in Redis (src/redis/shared-counts.ts). Of a large limit a process takes a hundredth
 *   at a time, so that Redis is asked for a batch and not for each request; of a small one each attempt by itself, which
 *   is exact. A key that is used up is refused here without asking, for RATE_LIMIT_USED_UP_MS at a time. Each process also
 *   counts what it sees, in a bounded map, and goes by that count while Redis does not answer: n instances then allow n
 *   times as many. An answer of Redis that comes late says how many of these it has counted. Every response says what is
 *   left (draft-ietf-httpapi-ratelimit-headers). Keys that stand for an address are networks
 *   (src/process/client-address.ts).
 * What it costs: one map entry per key, and a round trip per batch. What a process has taken and not used is lost when
 *   the window ends.
 * Its bound: RATE_LIMIT_KEYS_MAX, RATE_LIMIT_BATCH_SHARE, RATE_LIMIT_USED_UP_MS; SHARED_COUNT_MS for a Redis that does not answer.
 * Its proof: test/http/rate-limit.test.ts, test/http/shared-rate-limit.test.ts, bench/patterns/rate-limit.
 */
import type { FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import { AppError } from '../errors.ts';
import type { SharedCounts, Taken } from '../flow/shared-counts.ts';
import { RATE_LIMIT_BATCH_SHARE, RATE_LIMIT_KEYS_MAX, RATE_LIMIT_USED_UP_MS } from '../limits.ts';

const MINUTE_MS = 60_000;

export interface RateLimit {
  /**
   * Counts one attempt, and says on `reply` what is left; when there were too many, throws AppError `rate_limited` with
   * the seconds left to wait, and counts nothing.
   */
  count(key: string, reply?: FastifyReply): Promise<void>;
  /** Throws as `count` does, by what this process knows, without counting: the outcome decides whether it counts. */
  refuseUsedUp(key: string, reply?: FastifyReply): void;
  /** Takes one attempt back. */
  refund(key: string): void;
  /** Resets a key, for example after a successful sign-in. */
  forget(key: string): void;
}

/** `what` completes "Too many …", and names the limit in the headers and in Redis. */
export type CreateRateLimit = (what: string, max: number, windowMs?: number) => RateLimit;

/** Without `shared`, this process counts alone. */
export function createRateLimits(shared?: SharedCounts): CreateRateLimit {
  return (what, max, windowMs = MINUTE_MS) => createRateLimit(what, max, windowMs, shared);
}

/** What this process knows of a key. */
interface Window {
  endsAt: number;
  /** Attempts that this process has let through. */
  tries: number;
  /** Of these, the ones that were counted in Redis. */
  shared: number;
  /** Taken from Redis, and not used yet. */
  taken: number;
  /** Left, of all processes while Redis answers, and otherwise of this one. */
  left: number;
  /** Until when nothing more is asked for: another process may give some back. */
  usedUpUntil: number;
  /** Attempts that wait for the next taking, and that taking. */
  waiting: number;
  taking: Promise<boolean> | undefined;
}

const NO_TRIES = { tries: 0, shared: 0, taken: 0 };

function createRateLimit(what: string, max: number, windowMs: number, shared: SharedCounts | undefined): RateLimit {
  const windows = new LRUCache<string, Window>({ max: RATE_LIMIT_KEYS_MAX });
  const batch = Math.max(1, Math.floor(max * RATE_LIMIT_BATCH_SHARE));
  const policy = `"${what}";q=${max};w=${windowMs / 1_000}`;
  const sharedKey = (key: string) => `${what} ${key}`;

  function known(key: string): Window | undefined {
    const window = windows.get(key);
    return window !== undefined && !isOver(window) ? window : undefined;
  }

  function begin(key: string): Window {
    const endsAt = performance.now() + windowMs;
    const window: Window = { ...NO_TRIES, left: max, waiting: 0, endsAt, usedUpUntil: 0, taking: undefined };
    windows.set(key, window);
    return window;
  }

  /** Counts one more, if it may pass. */
  async function enter(key: string, window: Window): Promise<boolean> {
    while (!isUsedUp(window)) {
      if (window.taken > 0) {
        window.taken--;
        window.shared++;
        return pass(window);
      }
      window.waiting++;
      window.taking ??= take(key, window);
      const isShared = await window.taking.finally(() => window.waiting--);
      if (!isShared) {
        window.left = max - window.tries;
        if (window.left > 0) return pass(window);
        notice(window);
        return false;
      }
    }
    return false;
  }

  function pass(window: Window): true {
    window.tries++;
    window.left--;
    return true;
  }

  /** For all that wait. False: each process for itself. */
  async function take(key: string, window: Window): Promise<boolean> {
    await undefined; // all who came in this turn are asked for together
    const wanted = Math.max(batch, window.waiting);
    const taken = await shared?.take(sharedKey(key), wanted, max, windowMs, (late) => hearLate(key, window, late));
    window.taking = undefined;
    if (taken === undefined) return false;
    hear(window, taken);
    return true;
  }

  function hear(window: Window, taken: Taken): void {
    if (isOver(window)) Object.assign(window, NO_TRIES); // Redis speaks of the next one
    window.endsAt = performance.now() + taken.windowEndsInMs;
    window.taken += taken.granted;
    // Not more than this process may let through by itself: what it counted alone, Redis may not know.
    window.left = Math.min(taken.left + window.taken, max - window.tries);
    notice(window);
  }

  /** Attempts have passed alone meanwhile, and Redis knows of them after all. What it counted beyond these is given back. */
  function hearLate(key: string, window: Window, taken: Taken): void {
    if (windows.peek(key) !== window) return; // it was forgotten, in Redis as well
    const passed = isOver(window) ? 0 : Math.min(taken.granted, window.tries - window.shared);
    hear(window, { ...taken, granted: 0 });
    window.shared += passed;
    if (passed < taken.granted) shared?.giveBack(sharedKey(key), taken.granted - passed);
  }

  function notice(window: Window): void {
    window.usedUpUntil = window.left > 0 ? 0 : performance.now() + RATE_LIMIT_USED_UP_MS;
  }

  function isOver({ endsAt }: Window): boolean {
    return endsAt <= performance.now();
  }

  function isUsedUp({ usedUpUntil }: Window): boolean {
    return usedUpUntil > performance.now();
  }

  function secondsLeft({ endsAt }: Window): number {
    return Math.max(1, Math.ceil((endsAt - performance.now()) / 1_000));
  }

  /** After what other limits of the same request have said. */
  function say(window: Window, reply: FastifyReply): void {
    const add = (name: string, item: string) => {
      const before = reply.getHeader(name);
      reply.header(name, before === undefined ? item : `${before}, ${item}`);
    };
    add('ratelimit-policy', policy);
    add('ratelimit', `"${what}";r=${window.left};t=${secondsLeft(window)}`);
  }

  function refuse(window: Window): never {
    const seconds = secondsLeft(window);
    const wait = seconds > 120 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} seconds`;
    throw new AppError('rate_limited', `Too many ${what}. Try again in ${wait}.`, { retryAfterSeconds: seconds });
  }

  return {
    async count(key, reply) {
      const window = known(key) ?? begin(key);
      const mayPass = await enter(key, window);
      if (mayPass) notice(window);
      if (reply !== undefined) say(window, reply);
      if (!mayPass) refuse(window);
    },
    refuseUsedUp(key, reply) {
      const window = known(key);
      if (window === undefined || !isUsedUp(window)) return;
      if (reply !== undefined) say(window, reply);
      refuse(window);
    },
    refund(key) {
      const window = known(key);
      if (window === undefined || window.tries === 0) return;
      window.tries--;
      window.left++;
      window.usedUpUntil = 0;
      if (window.shared === 0) return;
      window.shared--;
      shared?.giveBack(sharedKey(key));
    },
    forget(key) {
      windows.delete(key);
      shared?.forget(sharedKey(key));
    },
  };
}
