import { createThrottle } from '../../../src/flow/throttle.ts';
import type { Parts } from './case.ts';

/** Each process keeps to the provider's rate. */
export function openThrottle({ perSecond, pace }: Parts): { pass(): Promise<void> } {
  return createThrottle(perSecond, pace);
}
