import { POOL_PRIMARY, POOL_REPLICA } from '../../../src/limits.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import type { Opened } from './visits.ts';

/** Rails' default. */
const WINDOW_MS = 2_000;

/** Reads go to the replica; for two seconds after a write its writer reads from the primary, and that should be enough. */
export function open({ workerDatabaseUrl, workerReplicaUrl }: Servers): Opened {
  const primary = openBenchPool(workerDatabaseUrl, POOL_PRIMARY.api);
  const replica = openBenchPool(workerReplicaUrl, POOL_REPLICA.api - 1);
  return {
    createSession(scope) {
      let primaryUntil = 0;
      return {
        read: (query) => query((performance.now() < primaryUntil ? primary : replica).within({ scope })),
        async write(work) {
          const value = await primary.within({ scope }).transaction().execute(work);
          primaryUntil = performance.now() + WINDOW_MS;
          return value;
        },
      };
    },
    close: async () => void (await Promise.all([primary.close(), replica.close()])),
  };
}
