/**
 * What it is: at most n tasks run at once and at most m wait; further ones are refused at once.
 * What fails without it: a burst takes everything that it needs at the same moment, and with an unbounded queue every
 *   answer comes too late.
 * What it costs: nothing below the limit. Its bound: `atOnce` and `waiting`, named in limits.ts.
 */
import pLimit from 'p-limit';
import { overloaded } from '../errors.ts';

export interface Semaphore {
  /** Rejects with AppError `overloaded` when the queue is full. */
  run<T>(work: () => Promise<T>): Promise<T>;
  readonly active: number;
  readonly waiting: number;
}

export function createSemaphore(what: string, limits: { atOnce: number; waiting: number }): Semaphore {
  const limit = pLimit(limits.atOnce);
  return {
    async run(work) {
      if (limit.activeCount >= limits.atOnce && limit.pendingCount >= limits.waiting) {
        throw overloaded(what);
      }
      return limit(work);
    },
    get active() {
      return limit.activeCount;
    },
    get waiting() {
      return limit.pendingCount;
    },
  };
}
