import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../scripts/embedded/ports.ts';
import { createRedis, type Redis as RedisServer } from '../scripts/embedded/redis.ts';

const PASSWORD = 'failover';

export interface TwoServers {
  readonly first: RedisServer;
  readonly second: RedisServer;
  /** Both are primaries, and empty. */
  reset(): Promise<void>;
  /** The second server takes over. Open connections stay where they are, at a server that is a replica now. */
  failOver(address: Address): Promise<void>;
  stop(): Promise<void>;
}

export async function startTwoServers(): Promise<TwoServers> {
  const folder = mkdtempSync(join(tmpdir(), 'tardigrade-failover-'));
  const start = async (name: string) =>
    createRedis({ folder: join(folder, name), port: await freePort(), password: PASSWORD, durable: false });
  const first = await start('first');
  const second = await start('second');
  return {
    first,
    second,
    async reset() {
      for (const server of [first, second]) await command(server, 'replicaof', 'no', 'one');
      for (const server of [first, second]) await command(server, 'flushall');
    },
    async failOver(address) {
      await command(first, 'config', 'set', 'masterauth', PASSWORD);
      address.leadTo(second);
      await command(first, 'replicaof', '127.0.0.1', new URL(second.url).port);
    },
    async stop() {
      await Promise.all([first.stop(), second.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Over a connection of its own, straight to the server. */
export async function command(server: RedisServer, name: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis(server.url);
  try {
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

export interface Address {
  readonly url: string;
  /** For connections from now on; open ones stay where they are. */
  leadTo(server: RedisServer): void;
  /** How many connections there have been. */
  dialled(): number;
  close(): void;
}

/** As a name in the DNS or a proxy: what a failover changes. */
export async function createAddress(server: RedisServer): Promise<Address> {
  let port = Number(new URL(server.url).port);
  let dialled = 0;
  const proxy = createServer((client) => {
    dialled++;
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream])
      socket
        .on('error', () => undefined)
        .on('close', () => {
          client.destroy();
          upstream.destroy();
        });
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const url = new URL(server.url);
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    leadTo: (next) => {
      port = Number(new URL(next.url).port);
    },
    dialled: () => dialled,
    close: () => void proxy.close(),
  };
}
