import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { backendCpuSeconds } from '../../../bench/patterns/backend-cpu.ts';
import { BENCH_APPLICATION, openBenchPool } from '../../../bench/patterns/bench-pool.ts';
import { sharedServers } from './servers.ts';

test('the processor time of the server rises with its work, and only that of the connections asked for', async () => {
  const { unscoped: db, close } = openBenchPool(sharedServers().databaseUrl, 1);
  const before = await backendCpuSeconds(db, BENCH_APPLICATION);
  await sql`select sum(n) from generate_series(1, 1000000) n`.execute(db);
  expect(await backendCpuSeconds(db, BENCH_APPLICATION)).toBeGreaterThan(before);
  expect(await backendCpuSeconds(db, 'nobody of this name')).toBe(0);
  await close();
});
