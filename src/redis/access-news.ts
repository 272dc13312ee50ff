/**
 * Tells the processes that hold sockets that somebody's access to an organisation has changed, so that they ask the
 * database at once instead of some seconds later (src/socket/access-watch.ts). A hint: it may be lost, and says no more
 * than whose it is.
 */
import type { Redis } from 'ioredis';

const CHANNEL = 'tardigrade:access';

/** Does not wait and does not throw. */
export type TellAccess = (orgId: number) => void;

export function createAccessNews(redis: Redis): TellAccess {
  const channel = channelOf(redis);
  return (orgId) => void redis.publish(channel, String(orgId)).catch(() => undefined);
}

/** `redis` is not used itself: one like it is opened. Returns what closes that. */
export function hearAccessNews(redis: Redis, heard: (orgId: number) => void): () => void {
  const subscriber = redis.duplicate({ lazyConnect: false, autoResubscribe: false });
  subscriber.on('error', () => undefined); // it goes on trying
  subscriber.on('ready', () => void subscriber.subscribe(channelOf(redis)).catch(() => undefined));
  subscriber.on('message', (_channel: string, orgId: string) => heard(Number(orgId)));
  return () => subscriber.disconnect();
}

/** Channels do not belong to one of Redis's numbered databases, so its number is part of their names. */
function channelOf({ options }: Redis): string {
  return `${CHANNEL}:${options.db ?? 0}`;
}
