import { Redis } from 'ioredis';
import { StartError } from '../errors.ts';
import { REDIS_COMMAND_MS, START_MS } from '../limits.ts';
import type { Log } from '../log.ts';

/**
 * A connection for commands that a request or a loop waits for: they fail at once while Redis is down.
 * By default every command is queued in memory until Redis is back: 20 MB a second under load, and answers that come
 * too late. Those who can do without Redis do not `wait` for it at their start.
 */
export async function openRedis(url: string, log: Log, { wait = true } = {}): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: REDIS_COMMAND_MS,
    connectTimeout: REDIS_COMMAND_MS,
  });
  redis.on('error', (error) => log.warn({ err: error }, 'redis connection error'));
  if (wait) await connected(redis, url);
  else redis.connect().catch(() => undefined); // ioredis keeps trying
  return redis;
}

/** For BullMQ's consumers, which wait for Redis as long as it takes (their commands block by design). */
export function consumerConnection(url: string): { url: string; maxRetriesPerRequest: null } {
  return { url, maxRetriesPerRequest: null };
}

async function connected(redis: Redis, url: string): Promise<void> {
  const deadline = performance.now() + START_MS;
  redis.connect().catch(() => undefined); // ioredis keeps retrying; the status shows the outcome
  while (redis.status !== 'ready') {
    if (performance.now() > deadline) {
      redis.disconnect();
      throw new StartError(
        `Redis does not answer at ${new URL(url).host} within ${START_MS / 1000} s. Is it running, and is REDIS_URL right?`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
