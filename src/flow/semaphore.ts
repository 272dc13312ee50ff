/**
 * What it is: at most n pieces of work at once, and at most m that wait; the next is refused at once.
 * What fails without it: a burst takes everything that it needs at the same moment, and an unbounded line answers
 *   all of it too late.
 * What it costs: nothing below the limit. Its bound: `atOnce` and `waiting`, named in limits.ts.
 */
import pLimit from 'p-limit';
import { overloaded } from '../errors.ts';

export interface Semaphore {
  /** Rejects with AppError `overloaded` when the line is full. */
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
