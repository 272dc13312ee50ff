import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises';
import { type Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { JOBS_AT_ONCE } from '../../src/limits.ts';
import { createLog, type Log } from '../../src/log.ts';
import { isLockLost, openConsumer, openQueue, type Turn } from '../../src/queue/queues.ts';
import { until } from '../database.ts';
import { createTcpProxy } from '../db/tcp-proxy.ts';
import { createTcpGate } from '../tcp-gate.ts';
import { emptyRedis, testRedisUrl } from '../worker.ts';

type Data = { id: number };
const QUEUE = 'tested';
const log = createLog('test', 'silent');
let redis: Redis;
let queue: Queue;
let consumer: { close(): Promise<void> } | undefined;

beforeEach(async () => {
  await emptyRedis();
  redis = new Redis(testRedisUrl());
  queue = openQueue(QUEUE, redis);
});
afterEach(async () => {
  await consumer?.close();
  consumer = undefined;
  await queue.close();
  redis.disconnect();
});

const consume = (handle: (data: Data, signal: AbortSignal) => Promise<Turn>) => {
  consumer = openConsumer<Data>(QUEUE, testRedisUrl(), handle, log);
};
const enqueue = (id: number) => queue.add('work', { id }, { jobId: `job-${id}` });

test('a job that asks for another turn gets it after every other job in the queue', async () => {
  const others = JOBS_AT_ONCE * 3;
  for (let id = 0; id <= others; id++) await enqueue(id);
  const turns: number[] = [];
  consume(async ({ id }) => {
    turns.push(id);
    await tick();
    return id === 0 && turns.filter((turn) => turn === 0).length < 3 ? { againInMs: 0 } : 'finished';
  });
  await until('all turns were taken', () => turns.length === others + 3);
  // Every other job had its turn before the second turn of this one.
  expect(new Set(turns.slice(0, turns.indexOf(0, turns.indexOf(0) + 1))).size).toBe(others + 1);
});

test('a turn that takes longer than its lock keeps it, also after many short turns before it', async () => {
  const lockMs = 3_000; // three quarters of it may pass between two renewals, if other tests have the processors
  let turns = 0;
  let atOnce = 0;
  let most = 0;
  const errors: string[] = [];
  const listening = { ...log, error: ({ err }: { err: Error }) => errors.push(err.message) } as unknown as Log;
  consumer = openConsumer<Data>(
    QUEUE,
    testRedisUrl(),
    async () => {
      most = Math.max(most, ++atOnce);
      turns++;
      if (turns % 10 === 0) await sleep(lockMs * 1.5);
      atOnce--;
      return turns < 20 ? { againInMs: 0 } : 'finished';
    },
    listening,
    { lockMs, stalledCheckMs: 500 },
  );
  await enqueue(1);
  await until('all turns were taken', () => turns >= 20 && atOnce === 0);
  expect(most).toBe(1);
  expect(errors).toEqual([]);
});

test('a turn whose lock another consumer has is told so, and leaves the job to it', async () => {
  const errors: string[] = [];
  const listening = { ...log, error: ({ err }: { err: Error }) => errors.push(err.message) } as unknown as Log;
  const lost = Promise.withResolvers<boolean>();
  consumer = openConsumer<Data>(
    QUEUE,
    testRedisUrl(),
    async (_, signal) => {
      await redis.set(`bull:${QUEUE}:job-1:lock`, 'another one');
      signal.addEventListener('abort', () => lost.resolve(isLockLost(signal)));
      await lost.promise;
      return 'finished';
    },
    listening,
    { lockMs: 300, stalledCheckMs: 10_000 },
  );
  await enqueue(1);
  expect(await lost.promise).toBe(true);
  await consumer.close();
  consumer = undefined;
  expect(errors).toEqual([]);
  expect(await queue.getActiveCount()).toBe(1);
});

test('a finished job leaves nothing behind in Redis', async () => {
  consume(async () => 'finished');
  await enqueue(1);
  await until('the job is gone', async () => (await redis.exists(`bull:${QUEUE}:job-1`)) === 0);
  expect(await queue.getJobCountByTypes('waiting', 'active', 'delayed', 'completed', 'failed')).toBe(0);
});

test('a job whose id is already queued is not added again', async () => {
  await enqueue(1);
  await enqueue(1);
  expect(await queue.getWaitingCount()).toBe(1);
});

test('a job whose handler threw can be queued again under the same id', async () => {
  let turns = 0;
  consume(async () => {
    turns++;
    if (turns === 1) throw new Error('the database was away');
    return 'finished';
  });
  await enqueue(1);
  await until('the first turn is over', async () => turns === 1 && (await queue.getActiveCount()) === 0);
  await enqueue(1);
  await until('the second turn', () => turns === 2);
});

test('a job whose consumer died is taken up again', async () => {
  await enqueue(1);
  const dead = new Worker(QUEUE, null, { connection: { url: testRedisUrl() }, autorun: false, lockDuration: 20 });
  const job = await dead.getNextJob('dead');
  await dead.close(true);
  await until('its lock has run out', async () => (await redis.exists(`bull:${QUEUE}:job-1:lock`)) === 0);
  // BullMQ takes a job for stalled when two checks in a row find no lock. This replaces the first check.
  await redis.sadd(`bull:${QUEUE}:stalled`, job?.id as string);

  let taken = 0;
  consume(async ({ id }) => {
    taken = id;
    return 'finished';
  });
  await until('another consumer has it', () => taken === 1);
});

test('close aborts the current turns, waits for them and takes no new job', async () => {
  let begun = 0;
  let ended = 0;
  consume(async (_, signal) => {
    begun++;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await tick();
    ended++;
    return { againInMs: 0 };
  });
  for (let id = 0; id < JOBS_AT_ONCE * 2; id++) await enqueue(id);
  await until('every slot is taken', () => begun === JOBS_AT_ONCE);
  await consumer?.close();
  expect(ended).toBe(begun);
  // No job is left marked as active.
  expect(await queue.getActiveCount()).toBe(0);
  expect(await queue.getJobCountByTypes('waiting', 'delayed')).toBe(JOBS_AT_ONCE * 2);
});

test('a queue that was opened while Redis was too slow to answer takes jobs once it answers', async () => {
  const proxy = await createTcpProxy(testRedisUrl());
  const slow = new Redis(proxy.url, { lazyConnect: true, commandTimeout: 100 });
  onTestFinished(async () => {
    slow.disconnect();
    await proxy.close();
  });
  await slow.connect();
  proxy.freeze();
  const opened = openQueue(QUEUE, slow);
  await expect(opened.add('job', {})).rejects.toThrow('Command timed out');
  proxy.thaw();
  const takes = () => opened.add('job', {}).then(Boolean, () => false);
  await until('it takes a job', takes);
});

test('a consumer whose connections have gone without a word connects again and goes on', async () => {
  const url = new URL(testRedisUrl());
  const gate = await createTcpGate(new URL(url), await freePort());
  onTestFinished(() => gate.shut());
  url.port = String(gate.port);
  const handled: number[] = [];
  consumer = openConsumer<Data>(
    QUEUE,
    url.href,
    async ({ id }) => {
      handled.push(id);
      return 'finished';
    },
    log,
    { silenceMs: 500 },
  );
  await enqueue(1);
  await until('it is at work', () => handled.length === 1);
  gate.silence();
  await enqueue(2);
  await until('it is at work again', () => handled.length === 2);
});
