import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { Redis } from 'ioredis';
import { afterAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { REPORT_EVERY_MS, REPORT_TTL_SECONDS } from '../../src/limits.ts';
import { createMetrics, type ProcessReport } from '../../src/process/metrics.ts';
import { deathTotals } from '../../src/redis/deaths.ts';
import { publishReports, readReports, reportedBefore } from '../../src/redis/process-reports.ts';
import { createMemoryStops } from '../asked-stops.ts';
import { until } from '../database.ts';
import { emptyRedis, testRedisUrl } from '../worker.ts';

const CHAT = `tardigrade:process:chat:${hostname()}:1`;

const redis = new Redis(testRedisUrl());
const stops = createMemoryStops();
beforeEach(emptyRedis);
afterAll(() => redis.disconnect());

const reportOf = (name: string, pid: number): ProcessReport => ({ ...createMetrics(name).report(), name, pid });
const publish = (name: string, pid: number) => publishReports(redis, { report: () => reportOf(name, pid), stops });

test('every process that reports is listed, by name and pid', async () => {
  const stops = [publish('mailer', 7), publish('api', 30), publish('api', 4)];
  await until('all three have reported', async () => (await readReports(redis)).length === 3);
  for (const { stop } of stops) await stop(false);
  expect((await readReports(redis)).map(({ name, pid }) => `${name} ${pid}`)).toEqual(['api 4', 'api 30', 'mailer 7']);
});

test('a process that no longer reports disappears from the list', async () => {
  await publish('chat', 1).stop(false);
  await until('it has reported', async () => (await readReports(redis)).length === 1);
  const ttlMs = await redis.pttl(CHAT);
  expect(ttlMs).toBeGreaterThan(0);
  expect(ttlMs).toBeLessThanOrEqual(REPORT_TTL_SECONDS * 1000);
  await redis.pexpire(CHAT, 1);
  await until('its report is gone', async () => (await readReports(redis)).length === 0);
  // The next report of any process cleans the index.
  await redis.zadd('tardigrade:processes', Date.now() - REPORT_TTL_SECONDS * 1000 - 1, CHAT);
  await publish('api', 2).stop(false);
  await until('the index names only processes that report', async () => {
    const names = await redis.zrange('tardigrade:processes', '0', '-1');
    return names.length === 1 && names[0] === `tardigrade:process:api:${hostname()}:2`;
  });
});

test('a process that was asked to stop is off the list at once', async () => {
  await publish('chat', 1).stop(true);
  expect(await readReports(redis)).toEqual([]);
  expect(await redis.exists(CHAT)).toBe(0);
});

test('a start that takes longer than the time between two reports counts the death before it once', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const { stop } = publishReports(redis, {
    report: () => reportOf('api', 4),
    lastExit: 'oom-kill',
    stops: createMemoryStops(),
  });
  vi.advanceTimersByTime(3 * REPORT_EVERY_MS);
  await stop(false);
  expect(await deathTotals(redis)).toEqual({ oom: 1, crash: 0 });
});

/** What a process on another host has left. */
async function reportFrom(host: string, name: string, firstAt: number): Promise<void> {
  const key = `tardigrade:process:${name}:${host}:1`;
  await redis.set(key, JSON.stringify({ ...reportOf(name, 1), host, firstAt }), 'EX', REPORT_TTL_SECONDS);
  await redis.zadd('tardigrade:processes', Date.now(), key);
}

test('a process knows which others reported before it, and not those that came later', async () => {
  const own = { name: 'api', pid: process.pid };
  expect(await reportedBefore(redis, own)).toBeUndefined();
  await reportFrom('earlier', 'chat', (Date.now() - 1_000) * 1_000);
  const reports = publish('api', process.pid);
  await reports.first;
  await reportFrom('later', 'api', (Date.now() + 1_000) * 1_000);
  expect((await reportedBefore(redis, own))?.map(({ name }) => name)).toEqual(['chat']);
  await reports.stop(true);
  expect(await reportedBefore(redis, own)).toBeUndefined();
});

test('of those that start at the same moment one is before the other, and not both', async () => {
  const firstAt = (Date.now() + 60_000) * 1_000;
  for (const host of ['a', 'b', 'c']) await reportFrom(host, 'api', firstAt);
  await redis.set(
    `tardigrade:process:api:${hostname()}:${process.pid}`,
    JSON.stringify({ ...reportOf('api', process.pid), host: hostname(), firstAt }),
  );
  await redis.zadd('tardigrade:processes', Date.now(), `tardigrade:process:api:${hostname()}:${process.pid}`);
  const expected = ['a', 'b', 'c'].filter((host) => `api:${host}:1` < `api:${hostname()}:${process.pid}`);
  expect(await reportedBefore(redis, { name: 'api', pid: process.pid })).toHaveLength(expected.length);
});

test('the one whose place a process takes on its host is not counted, although its report is still there', async () => {
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  await publish('api', gone).stop(false);
  const reports = publish('api', process.pid);
  await reports.first;
  expect(await readReports(redis)).toHaveLength(2);
  expect(await reportedBefore(redis, { name: 'api', pid: process.pid })).toEqual([]);
  await reports.stop(false);
});
