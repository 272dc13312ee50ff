import { createSharedThrottle } from '../../../src/redis/shared-throttle.ts';
import type { Parts } from './case.ts';

/** All processes together keep to the provider's rate. */
export function openThrottle({ redis, name, perSecond, processes, pace }: Parts): { pass(): Promise<void> } {
  return createSharedThrottle(redis, { name, perSecond, processes, pace });
}
