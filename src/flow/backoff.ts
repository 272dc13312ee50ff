/**
 * What it is: exponential backoff with full jitter.
 * What fails without it: clients that failed together retry together, and fail together again.
 * How it works: the n-th delay is drawn uniformly from 0 to min(max, base * 2^n). Source: "Exponential Backoff And
 *   Jitter", AWS Architecture Blog. What it costs: on average half the maximum delay. Its bound: the caller's `max` and
 *   number of tries.
 */
export interface BackoffRange {
  readonly base: number;
  readonly max: number;
}

/** Milliseconds to wait before try `attempt` + 1 (the first try is attempt 0). `random` gives [0, 1). */
export function backoffMs(attempt: number, range: BackoffRange, random: () => number = Math.random): number {
  return Math.floor(random() * Math.min(range.max, range.base * 2 ** Math.min(attempt, 30)));
}
