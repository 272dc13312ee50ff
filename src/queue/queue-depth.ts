import type { Redis } from 'ioredis';

export interface QueueDepth {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/**
 * How many jobs each queue holds, counted in BullMQ's own keys, because the api only counts and would pay 10 MB of
 * memory for loading BullMQ. test/queue/queue-depth.test.ts holds it against BullMQ's own count.
 */
export function queueDepths(redis: Redis, names: readonly string[]): Promise<QueueDepth[]> {
  return Promise.all(
    names.map(async (name) => {
      const key = (state: string) => `bull:${name}:${state}`;
      const [waiting, active, delayed, failed] = await Promise.all([
        redis.llen(key('wait')),
        redis.llen(key('active')),
        redis.zcard(key('delayed')),
        redis.zcard(key('failed')),
      ]);
      return { name, waiting, active, delayed, failed };
    }),
  );
}
