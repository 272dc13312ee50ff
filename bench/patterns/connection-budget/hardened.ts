import { refuseOverBudget } from '../../../src/db/connection-budget.ts';
import { POOL_PRIMARY } from '../../../src/limits.ts';
import { BENCH_LOG, openBenchPool } from '../bench-pool.ts';
import { type Instance, onlyApi } from './case.ts';

/** A small pool for each, with a line before it; what all may open together is added up before anybody is served. */
export async function startInstances(url: string, count: number): Promise<Instance[]> {
  const look = openBenchPool(url, 1);
  await refuseOverBudget({ server: look.unscoped, isPooled: look.isPooled }, onlyApi(count), false, BENCH_LOG).finally(
    look.close,
  );
  const pools = Array.from({ length: count }, () => openBenchPool(url, POOL_PRIMARY.api));
  return pools.map((pool) => ({ db: pool.unscoped, close: pool.close }));
}
