import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { openQueue } from '../../src/queue/queues.ts';
import { watchMemory } from '../../src/redis/memory-watch.ts';
import { until } from '../database.ts';
import { type SmallRedis, startSmallRedis } from '../full-redis.ts';

let server: SmallRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startSmallRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

test('a producer is refused before Redis is full, and admitted again once there is room', async () => {
  const memory = watchMemory(redis, createLog('test', 'silent'), 20);
  const queue = openQueue('tasks', redis, memory);
  try {
    await until('it is known', () => memory.share > 0);
    await queue.add('task', {});
    await server.fill();
    await until('it is noticed', () => memory.isNearlyFull);
    await expect(queue.add('task', {})).rejects.toThrow('nearly full');
    await expect(queue.addBulk([{ name: 'task', data: {} }])).rejects.toThrow('nearly full');
    await server.makeRoom();
    await until('there is room', () => !memory.isNearlyFull);
    await queue.add('task', {});
    expect(await queue.getJobCountByTypes('waiting')).toBe(2);
  } finally {
    memory.stop();
    await queue.close();
  }
});

test('a full Redis is not ready, in words; without a limit it never is full', async () => {
  const memory = watchMemory(redis, createLog('test', 'silent'), 20);
  try {
    await server.fill();
    await redis.config('SET', 'maxmemory', '4mb'); // what fills it stops somewhat below the limit, or above
    await until('it is full', () => memory.share >= 1);
    await expect(memory.check()).rejects.toThrow('Redis is full');
    await redis.config('SET', 'maxmemory', '0');
    await until('it has no limit', () => memory.share === 0);
    await memory.check();
    expect(memory.isNearlyFull).toBe(false);
  } finally {
    memory.stop();
    await redis.config('SET', 'maxmemory', '8mb');
    await server.makeRoom();
  }
});
