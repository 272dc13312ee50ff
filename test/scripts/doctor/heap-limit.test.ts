import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { heapLimit } from '../../../scripts/doctor/heap-limit.ts';
import { createMetrics, type ProcessReport } from '../../../src/process/metrics.ts';
import { publishReports } from '../../../src/redis/process-reports.ts';
import { createMemoryStops } from '../../asked-stops.ts';
import { until } from '../../database.ts';
import { look, ownRedis } from './servers.ts';

const MB = 1024 ** 2;

test('the launcher’s heap fits a nano; a container that is too small for any process is a danger', async () => {
  const planned = async (memoryMb: number) =>
    (await look(heapLimit, { databaseUrl: inject('databaseUrl') }, memoryMb * MB))[0];
  expect(await planned(512)).toMatchObject({
    level: 'ok',
    says: expect.stringContaining(
      '--max-old-space-size=204 --max-semi-space-size=16 --external-memory-accounted-in-global-limit, a heap of 252 MB',
    ),
  });
  expect(await planned(96)).toMatchObject({ level: 'danger' });
});

test.each([
  ['a heap above its container', { heapLimitBytes: 300 * MB, limitBytes: 256 * MB }, 'danger'],
  ['a heap within its container', { heapLimitBytes: 128 * MB, limitBytes: 256 * MB }, 'ok'],
  [
    'a container that is nearly full',
    { heapLimitBytes: 128 * MB, limitBytes: 256 * MB, containerUsedBytes: 250 * MB },
    'advice',
  ],
  ['a heap above the box, where none is enforced', { heapLimitBytes: 4096 * MB, limitIsEnforced: false }, 'advice'],
])('a running process with %s', async (_, memory, level) => {
  const redisUrl = await ownRedis();
  const redis = new Redis(redisUrl);
  const report = createMetrics('api').report();
  const small = { limitIsEnforced: true, containerUsedBytes: 90 * MB, rssBytes: 90 * MB };
  const { stop } = publishReports(redis, {
    report: (): ProcessReport => ({ ...report, memory: { ...report.memory, ...small, ...memory } }),
    stops: createMemoryStops(),
  });
  onTestFinished(async () => {
    await stop(true);
    redis.disconnect();
  });
  const [, running] = await until('it has reported', async () => {
    const findings = await look(heapLimit, { databaseUrl: inject('databaseUrl'), redisUrl });
    return findings.length === 2 ? findings : undefined;
  });
  expect(running).toMatchObject({ level, says: expect.stringMatching(/^api \d+ runs: heap up to/) });
});
