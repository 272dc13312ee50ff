import { Redis } from 'ioredis';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { createMetrics, type ProcessReport } from '../../src/process/metrics.ts';
import {
  createSilenceWatch,
  deathsSince,
  deathTotals,
  leaveTrace,
  noteStop,
  noticePredecessors,
  removeTrace,
} from '../../src/redis/deaths.ts';
import { createMemoryStops } from '../asked-stops.ts';
import { until } from '../database.ts';
import { emptyRedis, testRedisUrl } from '../worker.ts';

const GONE = 2 ** 22 - 1; // above the largest pid of a usual kernel
const MB = 2 ** 20;

const redis = new Redis(testRedisUrl());
let stops = createMemoryStops();
beforeEach(async () => {
  stops = createMemoryStops();
  await emptyRedis();
});
afterAll(() => redis.disconnect());

function reportOf(pid: number, usedMb = 100, startedAt = '2026-11-26T00:00:00.000Z'): ProcessReport {
  const report = createMetrics('api').report();
  return {
    ...report,
    pid,
    startedAt,
    memory: { ...report.memory, limitBytes: 512 * MB, limitIsEnforced: true },
    own: { ...report.own, memory_used_bytes: usedMb * MB },
  };
}

const live = (report: ProcessReport) => leaveTrace(redis.multi(), report).exec();
const start = (lastExit = '') => noticePredecessors(redis, stops, reportOf(process.pid), lastExit);

test('a process that was asked to stop has not died', async () => {
  await live(reportOf(GONE));
  await removeTrace(redis.multi(), reportOf(GONE)).exec();
  expect(await start()).toEqual([]);
  expect(await deathTotals(redis)).toEqual({ oom: 0, crash: 0 });
});

test('a start finds the one before it that vanished, names it and counts it once', async () => {
  await live(reportOf(GONE));
  expect(await start()).toMatchObject([{ name: 'api', pid: GONE, cause: 'crash' }]);
  expect(await start()).toEqual([]);
  expect(await deathTotals(redis)).toEqual({ oom: 0, crash: 1 });
});

test('in a container, where every process has the same pid, the earlier one is found as well', async () => {
  await live(reportOf(process.pid, 100, 'earlier'));
  expect(await start()).toMatchObject([{ pid: process.pid, cause: 'crash' }]);
});

test('the supervisor knows best: an oom-kill is one, however little memory the last report shows', async () => {
  await live(reportOf(GONE, 100));
  const [death] = await start('oom-kill');
  expect(death).toMatchObject({ cause: 'oom' });
  expect(death?.says).toMatch(/killed by the kernel because of its memory: 100 of 512 MB/);
});

test('processes that end in the same millisecond are as many deaths', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    for (let time = 0; time < 3; time++) await start('exit code 1');
    expect(await deathsSince(redis, 0)).toHaveLength(3);
  } finally {
    vi.useRealTimers();
  }
});

test('without a word from a supervisor, the memory of the last report tells', async () => {
  await live(reportOf(GONE, 500));
  expect(await start()).toMatchObject([{ cause: 'oom' }]);
});

test.each([
  ['oom', 500, 'was probably killed by the kernel because of its memory: 500 of 512 MB'],
  ['crash', 100, 'ended without being asked to: 100 of 512 MB'],
])('a supervisor that cannot tell leaves it to the last report: %s', async (cause, usedMb, says) => {
  await live(reportOf(GONE, usedMb));
  const [death] = await start('signal SIGKILL, which may have been the kernel because of its memory');
  expect(death).toMatchObject({ cause, says: expect.stringContaining(says) });
});

test('a process that was killed before its first report is counted by what its supervisor says', async () => {
  expect(await start('oom-kill')).toMatchObject([{ cause: 'oom' }]);
  expect(await deathTotals(redis)).toEqual({ oom: 1, crash: 0 });
});

test('one that ended well, as its supervisor says, has not died', async () => {
  for (const lastExit of ['exit code 0', 'success']) expect(await start(lastExit)).toEqual([]);
  expect(await deathTotals(redis)).toEqual({ oom: 0, crash: 0 });
});

test('one that nobody takes over from is found by its silence, at the second look and once', async () => {
  await live(reportOf(GONE));
  const [one, other] = [createSilenceWatch(redis, stops, -1), createSilenceWatch(redis, stops, -1)];
  expect(await one()).toEqual([]); // Redis may just be back
  await other();
  const found = await Promise.all([one(), other()]);
  expect(found.flat()).toMatchObject([{ pid: GONE }]);
  expect(await deathsSince(redis, Date.now() - 60_000)).toHaveLength(1);
});

test('while Redis was away all were silent, and none of them is taken for dead', async () => {
  await live(reportOf(GONE));
  const look = createSilenceWatch(redis, stops, -1);
  await look();
  const before = Date.now();
  await until('the clock has moved on', () => Date.now() > before);
  await live(reportOf(GONE)); // it reports again
  expect(await look()).toEqual([]);
});

test('one that was asked to stop while Redis was down has not died, whoever finds its trace', async () => {
  await live(reportOf(GONE));
  await noteStop(stops, reportOf(GONE));
  expect(await start()).toEqual([]);
  await live(reportOf(GONE));
  const look = createSilenceWatch(redis, stops, -1);
  await look();
  expect(await look()).toEqual([]);
  expect(await redis.hlen('tardigrade:lives')).toBe(0); // it is not looked for again
  expect(await deathTotals(redis)).toEqual({ oom: 0, crash: 0 });
});

test('a process with the pid of one that was asked to stop can die all the same', async () => {
  await noteStop(stops, reportOf(GONE));
  await live(reportOf(GONE, 100, '2026-11-26T01:00:00.000Z'));
  expect(await start()).toMatchObject([{ pid: GONE, cause: 'crash' }]);
});
