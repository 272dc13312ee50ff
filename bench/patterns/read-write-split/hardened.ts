import { createSession, openDatabase } from '../../../src/db/read-write-split.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { BENCH_LOG } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import type { Opened } from './visits.ts';

/** The position of a write travels with its writer, and a server that answers must have replayed it. */
export function open({ workerDatabaseUrl, workerReplicaUrl }: Servers): Opened {
  const database = openDatabase({
    config: { databaseUrl: workerDatabaseUrl, databaseReplicaUrl: workerReplicaUrl },
    name: 'api',
    log: BENCH_LOG,
    metrics: createMetrics('bench'),
  });
  return { createSession: (scope) => createSession(database, scope), close: database.close };
}
