import { createFairQueue } from '../../../src/flow/fair-queue.ts';
import { AT_ONCE, type Run } from './case.ts';

/** One after the other of those who wait, and nobody has all places while others do. */
export function createQueue(): Run {
  return createFairQueue({ atOnce: AT_ONCE, perKey: AT_ONCE - 1 }).run;
}
