import { CompiledQuery } from 'kysely';
import type { Config } from '../../../../src/config.ts';
import { createSession, openDatabase } from '../../../../src/db/read-write-split.ts';
import type { Log } from '../../../../src/log.ts';
import { createMetrics } from '../../../../src/process/metrics.ts';
import type { Read } from './database.ts';

/** The step `replica`: the dashboard's reads leave the primary. */
export function openReplicaReads(config: Config, log: Log): { read: Read; close(): Promise<void> } {
  const database = openDatabase({ config, name: 'api', log, metrics: createMetrics('before') });
  return {
    read: async <Row>(text: string, values: readonly [number, ...unknown[]]) =>
      createSession(database, values[0]).read(
        async (db) => (await db.executeQuery<Row>(CompiledQuery.raw(text, [...values]))).rows,
      ),
    close: database.close,
  };
}
