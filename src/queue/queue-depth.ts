import type { Redis } from 'ioredis';

/** The queues that there are. */
export const QUEUE_NAMES = ['campaigns'] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];

export interface QueueDepth {
  readonly name: QueueName;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/**
 * How many jobs each queue holds, counted in BullMQ's own keys, because the api only counts and would pay 10 MB of
 * memory for loading BullMQ. test/queue/queue-depth.test.ts holds it against BullMQ's own count.
 */
export function queueDepths(redis: Redis): Promise<QueueDepth[]> {
  return Promise.all(
    QUEUE_NAMES.map(async (name) => {
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
