import type { Config } from '../../../src/config.ts';
import { refuseOverBudget } from '../../../src/db/connection-budget.ts';
import { POOL_PRIMARY } from '../../../src/limits.ts';
import { BENCH_LOG, openBenchPool } from '../bench-pool.ts';
import type { Instance } from './case.ts';

/** A small pool with a line in front of it; the connections of all instances are added up before the first one serves. */
export async function startInstances(url: string, count: number): Promise<Instance[]> {
  const { unscoped: server, isPooled, close } = openBenchPool(url, 1);
  const instances = { api: count } as Config['instances'];
  await refuseOverBudget({ server, isPooled }, instances, false, BENCH_LOG).finally(close);
  return Array.from({ length: count }, () => {
    const pool = openBenchPool(url, POOL_PRIMARY.api);
    return { db: pool.unscoped, close: pool.close };
  });
}
