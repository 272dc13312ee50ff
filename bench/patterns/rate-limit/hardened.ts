import { createRateLimits } from '../../../src/http/rate-limit.ts';
import { networkOf } from '../../../src/process/client-address.ts';
import { createSharedCounts } from '../../../src/redis/shared-counts.ts';
import { ATTEMPTS_PER_MINUTE, type Judge, type Parts } from './case.ts';

/** So many attempts a minute for each network, which is what a provider gives to one customer, of all processes together. */
export function createJudge({ redis, name }: Parts): Judge {
  const limit = createRateLimits(createSharedCounts(redis))(name, ATTEMPTS_PER_MINUTE);
  return async (address) => {
    try {
      await limit.count(networkOf(address));
      return true;
    } catch {
      return false;
    }
  };
}
