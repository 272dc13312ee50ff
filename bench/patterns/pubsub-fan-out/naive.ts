import type { Channel, Parts } from './case.ts';

/** Publishes, and subscribes; the library connects again by itself. */
export async function openChannel({ redis, channel, deliver }: Parts): Promise<Channel> {
  const subscriber = redis.duplicate({ lazyConnect: true, enableOfflineQueue: true });
  subscriber.on('error', () => undefined);
  subscriber.on('message', (_channel, text) => deliver(Number(text)));
  await subscriber.subscribe(channel);
  return {
    publish: (seq) => void redis.publish(channel, String(seq)).catch(() => undefined),
    close: () => subscriber.disconnect(),
  };
}
