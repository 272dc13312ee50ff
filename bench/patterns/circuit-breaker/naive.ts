import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, RETRY_MS } from './case.ts';

/** Everybody tries again by itself until it works. */
export function createCaller(call: Call): (item: number) => Promise<void> {
  return async (item) => {
    while (!(await call(item))) await sleep(RETRY_MS);
  };
}
