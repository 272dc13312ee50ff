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

/** How long the next job of any queue has been waiting to be taken, in seconds; 0 when none waits. */
export async function oldestJobSeconds(redis: Redis, names: readonly string[]): Promise<number> {
  const ages = await Promise.all(
    names.flatMap((name) =>
      ['wait', 'paused'].map(async (state) => {
        const id = await redis.lindex(`bull:${name}:${state}`, -1); // the next one is at the end
        if (id === null) return 0;
        const [timestamp, begunAt, delay] = await redis.hmget(
          `bull:${name}:${id}`,
          'timestamp',
          'processedOn',
          'delay',
        );
        // A job that has asked for another turn waits since then.
        const since = Math.max(Number(timestamp ?? 0), Number(begunAt ?? 0)) + Number(delay ?? 0);
        return since === 0 ? 0 : Math.max(0, (Date.now() - since) / 1_000);
      }),
    ),
  );
  return Math.max(0, ...ages);
}
