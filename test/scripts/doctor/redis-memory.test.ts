import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { redisMemory } from '../../../scripts/doctor/redis-memory.ts';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { until } from '../../database.ts';
import { look, ownRedis } from './servers.ts';

const MB = 1024 ** 2;

test('a Redis that would evict jobs is a danger, and only advice while it has no memory limit', async () => {
  const { redis, levels } = await open();
  expect(await levels()).toEqual(['ok', 'ok', 'advice']); // a test's Redis keeps nothing
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  expect(await levels()).toEqual(['danger', 'ok', 'advice']);
  await redis.config('SET', 'maxmemory', '0');
  expect(await levels()).toEqual(['advice', 'advice', 'advice']);
});

test('a Redis that is full, or larger than its machine, is a danger', async () => {
  const { redis, levels } = await open();
  expect((await levels(32 * MB))[1]).toBe('danger'); // maxmemory is 64 MB
  expect((await levels(100 * MB))[1]).toBe('advice');
  await redis.config('SET', 'maxmemory', String(4 * MB));
  const fill = async () => {
    for (let key = 0; key < 100; key++) await redis.set(`filling:${key}`, 'x'.repeat(64 * 1024));
  };
  await expect(fill()).rejects.toThrow('OOM');
  expect((await levels())[1]).toBe('danger');
});

test('an append-only file, which lets jobs survive a restart, is ok', async () => {
  const { redis, levels } = await open();
  await redis.config('SET', 'appendonly', 'yes');
  // Redis refuses to stop before the file is there.
  await until('the file is written', async () => (await redis.info()).includes('aof_rewrite_in_progress:0'));
  expect((await levels())[2]).toBe('ok');
});

test('a Redis that does not answer is a danger, and its password is not shown', async () => {
  const redisUrl = `redis://:secret@127.0.0.1:${await freePort()}`;
  const [finding] = await look(redisMemory, { databaseUrl: inject('databaseUrl'), redisUrl });
  expect(finding).toMatchObject({ level: 'danger', says: expect.stringContaining('nothing listens there') });
  expect(finding?.says).not.toContain('secret');
});

async function open() {
  const redisUrl = await ownRedis();
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  const levels = async (memoryBytes?: number) =>
    (await look(redisMemory, { databaseUrl: inject('databaseUrl'), redisUrl }, memoryBytes)).map(({ level }) => level);
  return { redis, levels };
}
