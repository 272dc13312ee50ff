import { createSingleFlight } from '../../../src/flow/single-flight.ts';
import type { Read } from './case.ts';

/** Those who ask while an answer is on its way get that answer. */
export function createReader(): Read {
  return createSingleFlight<number>();
}
