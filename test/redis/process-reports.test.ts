import { Redis } from 'ioredis';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { REPORT_TTL_SECONDS } from '../../src/limits.ts';
import { createMetrics, type ProcessReport } from '../../src/process/metrics.ts';
import { publishReports, readReports } from '../../src/redis/process-reports.ts';
import { until } from '../database.ts';
import { emptyRedis, testRedisUrl } from '../worker.ts';

const redis = new Redis(testRedisUrl());
beforeEach(emptyRedis);
afterAll(() => redis.disconnect());

const reportOf = (name: string, pid: number): ProcessReport => ({ ...createMetrics(name).report(), name, pid });
const publish = (name: string, pid: number) => publishReports(redis, () => reportOf(name, pid));

test('every process that reports is listed, by name and pid', async () => {
  const stops = [publish('mailer', 7), publish('api', 30), publish('api', 4)];
  await until('all three have reported', async () => (await readReports(redis)).length === 3);
  for (const stop of stops) stop();
  expect((await readReports(redis)).map(({ name, pid }) => `${name} ${pid}`)).toEqual(['api 4', 'api 30', 'mailer 7']);
});

test('a process that no longer reports disappears from the list', async () => {
  publish('chat', 1)();
  await until('it has reported', async () => (await readReports(redis)).length === 1);
  const ttlMs = await redis.pttl('tardigrade:process:chat:1');
  expect(ttlMs).toBeGreaterThan(0);
  expect(ttlMs).toBeLessThanOrEqual(REPORT_TTL_SECONDS * 1000);
  await redis.pexpire('tardigrade:process:chat:1', 1);
  await until('its report is gone', async () => (await readReports(redis)).length === 0);
  // The next report of any process cleans the index.
  await redis.zadd('tardigrade:processes', Date.now() - REPORT_TTL_SECONDS * 1000 - 1, 'tardigrade:process:chat:1');
  publish('api', 2)();
  await until('the index names only processes that report', async () => {
    const names = await redis.zrange('tardigrade:processes', '0', '-1');
    return names.length === 1 && names[0] === 'tardigrade:process:api:2';
  });
});
