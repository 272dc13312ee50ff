import { sql } from 'kysely';
import { createHealth } from '../../../src/process/health-check.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { Probe } from './case.ts';

const NEVER = new AbortController().signal;

/** The probe proves that the process can work: with the connections that it works with, and one check for all probes. */
export async function createProbe(databaseUrl: string): Promise<Probe> {
  const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
  const health = createHealth(NEVER);
  health.register('database', () => sql`select 1`.execute(db));
  return {
    isReady: async () => (await health.readiness()).ready,
    close,
  };
}
