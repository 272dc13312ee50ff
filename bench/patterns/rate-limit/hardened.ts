import { createRateLimit } from '../../../src/http/rate-limit.ts';
import { networkOf } from '../../../src/process/client-address.ts';
import { ATTEMPTS_PER_MINUTE, type Judge } from './case.ts';

/** So many attempts a minute for each network, which is what a provider gives to one customer, in a bounded map. */
export function createJudge(): Judge {
  const limit = createRateLimit('attempts', ATTEMPTS_PER_MINUTE);
  return (address) => {
    try {
      limit.count(networkOf(address));
      return true;
    } catch {
      return false;
    }
  };
}
