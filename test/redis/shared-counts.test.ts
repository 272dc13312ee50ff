import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { createRedis, type Redis as RedisServer } from '../../scripts/embedded/redis.ts';
import { createRateLimits } from '../../src/http/rate-limit.ts';
import { RATE_LIMIT_BATCH_SHARE, REDIS_COMMAND_MS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { openRedis } from '../../src/redis/redis.ts';
import { createSharedCounts } from '../../src/redis/shared-counts.ts';
import { until } from '../database.ts';
import { command } from '../two-redis-servers.ts';

const MINUTE_MS = 60_000;
const PATIENT_MS = 1_500;
/** Longer than anybody waits for a count, and not so long that the connection counts as dead. */
const PAUSE_MS = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'tardigrade-counts-'));
let server: RedisServer;
beforeAll(async () => {
  server = await createRedis({ folder, port: await freePort(), password: 'counts', durable: false });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await command(server, 'flushall');
});

/** As another process has it. They wait for as long as a busy machine may take: counting is what most tests are about. */
async function openCounts(options: Parameters<typeof createSharedCounts>[1] = { waitMs: PATIENT_MS }) {
  const redis = await openRedis(server.url, createLog('test', 'silent'));
  onTestFinished(() => redis.disconnect());
  return { redis, counts: createSharedCounts(redis, options) };
}

test('two processes take from one window, which begins with the first taking and grants no more than there is', async () => {
  const [{ counts: one }, { counts: other }] = [await openCounts(), await openCounts()];
  expect(await one.take('ada', 6, 10, MINUTE_MS)).toMatchObject({ granted: 6, left: 4 });
  expect(await other.take('ada', 6, 10, MINUTE_MS)).toMatchObject({ granted: 4, left: 0 });
  const refused = await one.take('ada', 1, 10, MINUTE_MS);
  expect(refused).toMatchObject({ granted: 0, left: 0 });
  expect(refused?.windowEndsInMs).toBeGreaterThan(MINUTE_MS - 10_000);
  expect(refused?.windowEndsInMs).toBeLessThanOrEqual(MINUTE_MS);
  expect(await other.take('ben', 1, 10, MINUTE_MS)).toMatchObject({ granted: 1, left: 9 });
});

test('a window ends by itself', async () => {
  const { counts } = await openCounts();
  await counts.take('ada', 1, 1, 30);
  await until('it has ended', async () => (await counts.take('ada', 1, 1, 30))?.granted === 1);
});

test('what is given back can be taken again, by anybody, and a key that is forgotten is new', async () => {
  const [{ counts: one }, { counts: other }] = [await openCounts(), await openCounts()];
  await one.take('ada', 10, 10, MINUTE_MS);
  one.giveBack('ada');
  await until('it is back', async () => (await other.take('ada', 1, 10, MINUTE_MS))?.granted === 1);
  expect(await other.take('ada', 1, 10, MINUTE_MS)).toMatchObject({ granted: 0 });
  other.forget('ada');
  await until('it is new', async () => (await one.take('ada', 1, 10, MINUTE_MS))?.left === 9);
  one.giveBack('nobody has taken');
  expect(await one.take('nobody has taken', 1, 10, MINUTE_MS)).toMatchObject({ left: 9 });
});

test('Redis is not told whose the keys are', async () => {
  const { redis, counts } = await openCounts();
  await counts.take('sign-ins ada@example.test', 1, 10, MINUTE_MS);
  const keys = await redis.keys('*');
  expect(keys).toHaveLength(1);
  expect(keys[0]).not.toMatch(/ada|example|sign/);
});

test('a Redis without room is not given more, and each process says that it counts alone', async () => {
  const { redis, counts } = await openCounts({ isFull: () => true });
  expect(await counts.take('ada', 1, 10, MINUTE_MS)).toBeUndefined();
  expect(await redis.dbsize()).toBe(0);
  expect(counts.isAlone).toBe(true);
});

test('an answer that is only late is heard of: nobody is alone any more', async () => {
  const { counts } = await openCounts({});
  await until('it answers in time', async () => (await counts.take('ada', 1, 10, MINUTE_MS)) !== undefined);
  await command(server, 'client', 'pause', String(PAUSE_MS));
  expect(await counts.take('ada', 1, 10, MINUTE_MS)).toBeUndefined();
  expect(counts.isAlone).toBe(true);
  await until('the answer has come', () => !counts.isAlone);
  const taken = await counts.take('ada', 10, 10, MINUTE_MS);
  expect(taken?.granted ?? 0).toBeLessThan(9); // it had counted the one that nobody heard of
});

test.each(['before', 'after'])(
  'an attempt that passed alone can be taken back, %s its late answer came',
  async (when) => {
    const { redis, counts } = await openCounts({});
    await until('it answers in time', async () => (await counts.take('any', 1, 10, MINUTE_MS)) !== undefined);
    const limit = createRateLimits(counts)('tries', 3);
    const other = createRateLimits((await openCounts()).counts)('tries', 3);
    await command(server, 'client', 'pause', String(PAUSE_MS));
    await limit.count('ada');
    if (when === 'before') limit.refund('ada');
    await until('the answer has come', () => !counts.isAlone);
    if (when === 'after') limit.refund('ada');
    await redis.ping(); // it has arrived
    for (let nth = 0; nth < 3; nth++) await other.count('ada');
    await expect(other.count('ada')).rejects.toThrow('Too many tries');
  },
);

test('a late answer about the next window does not bring the tries of the last one back', async () => {
  const { counts } = await openCounts({});
  await until('it answers in time', async () => (await counts.take('any', 1, 10, MINUTE_MS)) !== undefined);
  const limit = createRateLimits(counts)('tries', 2, PAUSE_MS / 2);
  await command(server, 'client', 'pause', String(PAUSE_MS));
  await limit.count('ada'); // its window ends before the answer comes
  await limit.count('ada');
  await until('the answer has come', () => !counts.isAlone);
  for (let nth = 0; nth < 2; nth++) await limit.count('ada');
});

test('limits of two processes are one limit, exact for a small one, also when all come at once', async () => {
  const limits = await twoLimits(10);
  const outcomes = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => limits[n % 2]?.count('ada')));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  limits[0]?.refund('ada');
  const mayPass = () =>
    limits[1]?.count('ada').then(
      () => true,
      () => false,
    );
  await until('the other may try once more', async () => (await mayPass()) === true);
  expect(await mayPass()).toBe(false);
});

test('of a large limit each process takes a batch at a time: Redis is asked rarely, and nobody gets more', async () => {
  const max = 1_000;
  const limits = await twoLimits(max);
  const before = await commands();
  let passed = 0;
  for (let n = 0; n < 3 * max; n++)
    await limits[n % 2]?.count('ada').then(
      () => passed++,
      () => undefined,
    );
  expect(passed).toBe(max);
  expect((await commands()) - before).toBeLessThan(2 / RATE_LIMIT_BATCH_SHARE);
});

test.each(['stopped', 'frozen'] as const)(
  'while Redis is %s, each process counts by itself, and nobody waits; once it is back they share again',
  async (state) => {
    const own = await createRedis({
      ...{ folder: join(folder, state), port: await freePort(), password: 'counts', durable: false },
    });
    onTestFinished(() => own.stop());
    const connections: Redis[] = [];
    const waitMs = 500; // a quarter of what a command to a silent Redis waits, and long enough for a busy machine
    const open = async () => {
      const redis = await openRedis(own.url, createLog('test', 'silent'));
      connections.push(redis);
      const counts = createSharedCounts(redis, { waitMs });
      return { counts, limit: createRateLimits(counts)('tries', 10) };
    };
    onTestFinished(() => connections.forEach((redis) => void redis.disconnect()));
    const [one, other] = [await open(), await open()];
    for (let n = 0; n < 6; n++) await one.limit.count('ada');

    if (state === 'frozen') process.kill(own.pid, 'SIGSTOP');
    else await own.stop();
    const tries = await Promise.all([timed(() => one.limit.count('ada')), timed(() => other.limit.count('ada'))]);
    for (const { ms } of tries) expect(ms).toBeLessThan(REDIS_COMMAND_MS);
    // Now it is known, so they do not even try, but for one now and then.
    const known: number[] = [];
    for (let n = 0; n < 3; n++) known.push((await timed(() => one.limit.count('ada'))).ms);
    for (let n = 0; n < 9; n++) known.push((await timed(() => other.limit.count('ada'))).ms);
    expect(known.toSorted((a, b) => a - b)[6]).toBeLessThan(waitMs);
    expect([one, other].map(({ counts }) => counts.isAlone)).toEqual([true, true]);
    for (const { limit } of [one, other]) await expect(limit.count('ada')).rejects.toThrow('Too many tries');

    if (state === 'stopped') return;
    process.kill(own.pid, 'SIGCONT');
    await until('they share again', async () => {
      await one.limit.count(`key ${performance.now()}`);
      return !one.counts.isAlone;
    });
  },
);

async function twoLimits(max: number) {
  const [one, other] = [await openCounts(), await openCounts()];
  return [one, other].map(({ counts }) => createRateLimits(counts)('tries', max));
}

/** That Redis has been sent. */
async function commands(): Promise<number> {
  const info = (await command(server, 'info', 'commandstats')) as string;
  return Number(/cmdstat_eval:calls=(\d+)/.exec(info)?.[1] ?? 0);
}

async function timed(work: () => Promise<unknown>): Promise<{ ms: number }> {
  const begun = performance.now();
  await work();
  return { ms: performance.now() - begun };
}
