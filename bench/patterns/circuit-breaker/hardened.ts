import { setTimeout as sleep } from 'node:timers/promises';
import { createCircuitBreaker } from '../../../src/flow/circuit-breaker.ts';
import { type Call, RETRY_MS } from './case.ts';

/** One probes for all. */
export function createCaller(call: Call): (item: number) => Promise<void> {
  const breaker = createCircuitBreaker<string>(() => ({ min: RETRY_MS, max: 10 * RETRY_MS, share: 0.1 }));
  return async (item) => {
    for (;;) {
      const entered = breaker.enter();
      if (entered.refused) await sleep(entered.againInMs);
      else if (await call(item)) return entered.succeeded();
      else entered.failed('refused');
    }
  };
}
