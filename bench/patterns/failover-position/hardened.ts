import { setTimeout as sleep } from 'node:timers/promises';
import { createSession, openDatabase } from '../../../src/db/read-write-split.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { BENCH_LOG } from '../bench-pool.ts';
import type { Opened } from './case.ts';
import { ORGANISATION } from './documents.ts';
import type { Pair } from './servers.ts';

const POLL_MS = 20;

/** A position names its timeline: a replica on an earlier one has nothing of it, however far its log has come. */
export async function open({ primaryUrl, replicaUrl }: Pair): Promise<Opened> {
  const database = openDatabase({
    config: { databaseUrl: primaryUrl, databaseReplicaUrl: replicaUrl },
    name: 'api',
    log: BENCH_LOG,
    metrics: createMetrics('bench'),
  });
  while (database.replica().state !== 'usable') await sleep(POLL_MS);
  return { createSession: () => createSession(database, ORGANISATION), close: database.close };
}
