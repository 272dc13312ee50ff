import { inject } from 'vitest';
import type { Servers } from '../../../bench/patterns/pattern.ts';

/** Those that all tests share. */
export function sharedServers(): Servers {
  return {
    databaseUrl: inject('databaseUrl'),
    workerDatabaseUrl: inject('workerDatabaseUrl'),
    workerReplicaUrl: inject('workerReplicaUrl'),
    databaseAdminUrl: inject('databaseAdminUrl'),
    replicaAdminUrl: inject('replicaAdminUrl'),
    redisUrl: inject('redisUrl'),
  };
}
