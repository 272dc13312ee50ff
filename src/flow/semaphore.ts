/**
 * What it is: at most n pieces of work at once, and at most m that wait; the next is refused at once.
 * What fails without it: eight sign-ins at once take eight times the memory of one; an unbounded line answers everybody
 *   too late. What it costs: nothing below the limit. Its bound: `atOnce` and `waiting`, named in limits.ts.
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
