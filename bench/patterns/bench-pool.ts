import { openPool, type PooledDatabase } from '../../src/db/database.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics } from '../../src/process/metrics.ts';

/** As pg_stat_activity names the connections of openBenchPool. */
export const BENCH_APPLICATION = 'tardigrade-bench';
export const BENCH_LOG = createLog('bench', 'silent');

/**
 * The product's own pool. Lessons that are not about tenants use its `unscoped` side with the owner's `url`: Row-Level
 * Security does not bind the owner, so nothing but the lesson's own subject is in the figures.
 */
export function openBenchPool(url: string, max: number): PooledDatabase {
  return openPool('primary', {
    url,
    processName: 'bench',
    max,
    statementMs: 0,
    log: BENCH_LOG,
    metrics: createMetrics('bench'),
  });
}
