import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { queueDepths } from '../../src/queue/queue-depth.ts';
import { openQueue } from '../../src/queue/queues.ts';
import { emptyRedis, testRedisUrl } from '../worker.ts';

test("the depth of a queue is what BullMQ's own count says, in every state", async () => {
  await emptyRedis();
  const redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: null });
  const queue = openQueue('campaigns', redis);
  const consumer = new Worker('campaigns', null, { connection: redis, autorun: false });
  try {
    await queue.add('will fail', {}, { removeOnFail: false });
    await (await consumer.getNextJob('token'))?.moveToFailed(new Error('on purpose'), 'token', false);
    for (let job = 0; job < 6; job++) await queue.add('work', {});
    for (let job = 0; job < 2; job++) await consumer.getNextJob('token');
    for (let job = 0; job < 3; job++) await queue.add('later', {}, { delay: 60_000 });

    const counted = { waiting: 4, active: 2, delayed: 3, failed: 1 };
    expect(await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')).toEqual(counted);
    expect(await queueDepths(redis)).toEqual([{ name: 'campaigns', ...counted }]);
  } finally {
    await consumer.close(true);
    await queue.close();
    redis.disconnect();
  }
});
