/**
 * What it is: a rate per key, with room for a burst (token bucket).
 * What fails without it: a fixed window lets twice its number through at the border of two, and makes everybody who was
 *   refused come back when the next one begins.
 * How it works: a key has up to `burst` tokens, and gets `perSecond` new ones; what happens costs one or more.
 * What it costs: a map entry per key. Its bound: RATE_LIMIT_KEYS_MAX keys; the one that was used least lately is forgotten,
 *   and begins again with a full burst. Its proof: test/flow/token-bucket.test.ts.
 */
import { LRUCache } from 'lru-cache';
import { RATE_LIMIT_KEYS_MAX } from '../limits.ts';

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
  /** What a key can owe at most. Default: a second burst. */
  readonly debt?: number;
}

export interface TokenBuckets {
  /** False when the key has no token left; otherwise it loses as many as this costs, or all that it has. */
  spend(key: string, cost?: number): boolean;
  /** Takes also what the key has not got, up to `debt`: nothing is spent until that is paid off. */
  fine(key: string, cost: number): void;
  /** Returns what was taken for something that did not happen. */
  refund(key: string, cost: number): void;
  /** In milliseconds, until the key has a token again; 0 while it has one. */
  waitMs(key: string): number;
  /** Whether a fine is not paid off yet. */
  owes(key: string): boolean;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

export function createTokenBuckets({ perSecond, burst, debt = burst }: Rate): TokenBuckets {
  const buckets = new LRUCache<string, Bucket>({ max: RATE_LIMIT_KEYS_MAX });

  function filled(key: string): Bucket {
    const now = performance.now();
    const bucket = buckets.get(key) ?? { tokens: burst, filledAt: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1_000) * perSecond);
    bucket.filledAt = now;
    buckets.set(key, bucket);
    return bucket;
  }

  return {
    spend(key, cost = 1) {
      const bucket = filled(key);
      if (bucket.tokens < 1) return false;
      bucket.tokens = Math.max(0, bucket.tokens - cost);
      return true;
    },
    fine(key, cost) {
      const bucket = filled(key);
      bucket.tokens = Math.max(-debt, bucket.tokens - cost);
    },
    refund(key, cost) {
      filled(key).tokens += cost; // `filled` holds it to the burst
    },
    waitMs: (key) => (buckets.has(key) ? Math.max(0, ((1 - filled(key).tokens) / perSecond) * 1_000) : 0),
    owes: (key) => buckets.has(key) && filled(key).tokens < 0,
  };
}
