/** Faults that the alerts about Redis and its queues must notice. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { killPart } from './kill-part.ts';
import type { PlantedAlert } from './planted-alert.ts';

const MB = 2 ** 20;

export const REDIS_FAULTS: readonly PlantedAlert[] = [
  {
    rule: 'QueueOld',
    fault: 'a queue is paused, and a job waits in it',
    group: 0,
    async plant({ layout }) {
      const redis = new Redis(layout.addresses.redisUrl);
      const [meta] = await redis.keys('bull:*:meta');
      const queue = meta?.replace(/:meta$/, '') ?? 'bull:none';
      await redis.hset(`${queue}:planted`, 'timestamp', Date.now(), 'delay', 0);
      await redis.rpush(`${queue}:paused`, 'planted');
      return async () => {
        await redis.lrem(`${queue}:paused`, 0, 'planted');
        redis.disconnect();
      };
    },
  },
  {
    rule: 'RedisFilling',
    fault: 'Redis is filled to 85 % of maxmemory',
    group: 0,
    async plant({ layout }) {
      const redis = new Redis(layout.addresses.redisUrl);
      const of = async (field: string) =>
        Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(await redis.info('memory'))?.[1]);
      const missing = (await of('maxmemory')) * 0.85 - (await of('used_memory'));
      const pieces = Math.ceil(missing / MB);
      for (let piece = 0; piece < pieces; piece++) await redis.set(`planted:${piece}`, randomBytes(0.97 * MB));
      return async () => {
        await redis.del(Array.from({ length: pieces }, (_, piece) => `planted:${piece}`));
        redis.disconnect();
      };
    },
  },
  {
    rule: 'RedisUnreachable',
    fault: 'kill -9 of Redis',
    group: 8,
    plant: ({ layout }) => killPart(layout, 'redis'),
  },
];
