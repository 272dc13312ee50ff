import { openPool } from '../../../src/db/pool.ts';
import { STATEMENT_MS } from '../../../src/limits.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { BENCH_LOG } from '../bench-pool.ts';
import { type Items, itemsOf } from './items.ts';

/** As the product reads from its replica: quick statements are sent behind one another. */
export function openItems(url: string, connections: number): Items {
  const metrics = createMetrics('bench');
  const options = {
    url,
    processName: 'bench',
    max: connections,
    statementMs: STATEMENT_MS.api,
    log: BENCH_LOG,
    metrics,
  };
  return itemsOf(openPool('replica', options));
}
