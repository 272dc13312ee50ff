import type { Redis } from 'ioredis';

export interface QueueDepth {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/**
 * How many jobs each queue has, counted from BullMQ's own keys: the api needs nothing but these counts, and loading
 * BullMQ would cost it 10 MB of memory. test/queue/queue-depth.test.ts compares them with BullMQ's own counts.
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
