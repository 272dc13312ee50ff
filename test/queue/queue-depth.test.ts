import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { oldestJobSeconds, queueDepths } from '../../src/queue/queue-depth.ts';
import { openQueue } from '../../src/queue/queues.ts';
import { emptyRedis, testRedisUrl } from '../worker.ts';

const QUEUE = 'depths';

test("the depth of a queue equals BullMQ's own count, in every state", async () => {
  await emptyRedis();
  const redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: null });
  const queue = openQueue(QUEUE, redis);
  const consumer = new Worker(QUEUE, null, { connection: redis, autorun: false });
  try {
    await queue.add('will fail', {}, { removeOnFail: false });
    await (await consumer.getNextJob('token'))?.moveToFailed(new Error('on purpose'), 'token', false);
    for (let job = 0; job < 6; job++) await queue.add('work', {});
    for (let job = 0; job < 2; job++) await consumer.getNextJob('token');
    for (let job = 0; job < 3; job++) await queue.add('later', {}, { delay: 60_000 });

    const counted = { waiting: 4, active: 2, delayed: 3, failed: 1 };
    expect(await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')).toEqual(counted);
    expect(await queueDepths(redis, [QUEUE, 'unused'])).toEqual([
      { name: QUEUE, ...counted },
      { name: 'unused', waiting: 0, active: 0, delayed: 0, failed: 0 },
    ]);
  } finally {
    await consumer.close(true);
    await queue.close();
    redis.disconnect();
  }
});

test('the next job waits since it was added, also in a queue that is paused, and nobody waits in an empty one', async () => {
  await emptyRedis();
  const redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: null });
  const queue = openQueue(QUEUE, redis);
  try {
    expect(await oldestJobSeconds(redis, [QUEUE, 'unused'])).toBe(0);
    await queue.add('oldest', {}, { timestamp: Date.now() - 60_000 });
    await queue.add('younger', {}, { timestamp: Date.now() - 1_000 });
    const seconds = await oldestJobSeconds(redis, [QUEUE, 'unused']);
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(90);
    await queue.pause();
    expect(await oldestJobSeconds(redis, [QUEUE])).toBeGreaterThanOrEqual(60);
  } finally {
    await queue.obliterate({ force: true });
    await queue.close();
    redis.disconnect();
  }
});

test('a job that has had a turn waits since then, and one that was delayed since its delay was over', async () => {
  await emptyRedis();
  const redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: null });
  const queue = openQueue(QUEUE, redis);
  try {
    const job = await queue.add('turns', {}, { timestamp: Date.now() - 60_000 });
    await redis.hset(`bull:${QUEUE}:${job.id}`, 'processedOn', Date.now() - 10_000, 'delay', 5_000);
    const seconds = await oldestJobSeconds(redis, [QUEUE]);
    expect(seconds).toBeGreaterThanOrEqual(5);
    expect(seconds).toBeLessThan(30);
  } finally {
    await queue.obliterate({ force: true });
    await queue.close();
    redis.disconnect();
  }
});
