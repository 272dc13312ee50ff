import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createRedis, type Redis as RedisServer } from '../../scripts/embedded/redis.ts';
import { createLog } from '../../src/log.ts';
import { openConsumer, openQueue } from '../../src/queue/queues.ts';
import { openRedis, probeWrite } from '../../src/redis/redis.ts';
import { start as startMailer } from '../../workers/mailer.ts';
import { createTestDatabase, until } from '../database.ts';
import { startWorker, testEnvironment } from '../worker.ts';

const PASSWORD = 'failover';
const log = createLog('test', 'silent');

let folder: string;
let first: RedisServer;
let second: RedisServer;
let address: Address;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tardigrade-failover-'));
  const server = async (name: string) =>
    createRedis({ folder: join(folder, name), port: await getPort(), password: PASSWORD, durable: false });
  first = await server('first');
  second = await server('second');
});
afterAll(async () => {
  await Promise.all([first?.stop(), second?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  for (const server of [first, second]) await command(server, 'replicaof', 'no', 'one');
  for (const server of [first, second]) await command(server, 'flushall');
  address = await createAddress(first);
});
afterEach(() => address.close());

/** The second server takes over. Open connections stay where they are, at a server that is a replica now. */
async function failOver(): Promise<void> {
  await command(first, 'config', 'set', 'masterauth', PASSWORD);
  address.leadTo(second);
  await command(first, 'replicaof', '127.0.0.1', new URL(second.url).port);
}

test('a connection is replaced when its server has become a replica', async () => {
  const redis = await opened();
  await redis.set('a', '1');
  await failOver();
  await until('it writes again', () => redis.set('a', '2').catch(() => ''), 5_000);
  expect(await command(second, 'get', 'a')).toBe('2');
});

test('a queue and its consumer go on at the new primary', async () => {
  const redis = await opened();
  const queue = openQueue('failover', redis);
  const handled: number[] = [];
  const consumer = openConsumer<{ id: number }>(
    'failover',
    address.url,
    async ({ id }) => {
      handled.push(id);
      return 'finished';
    },
    log,
  );
  onTestFinished(async () => {
    await consumer.close();
    await queue.close();
  });
  await queue.add('work', { id: 1 });
  await until('the first job', () => handled.length === 1);
  await failOver();
  await until('the second job is queued', () => queue.add('work', { id: 2 }).catch(() => undefined));
  await until('the second job', () => handled.includes(2));
  expect(await command(second, 'exists', 'bull:failover:meta')).toBe(1);
});

test('the mailer is not ready while Redis refuses writes, and is ready again when its address leads to a primary', async () => {
  const database = await createTestDatabase({ replica: false });
  const environment = { ...(await testEnvironment(database)), DATABASE_REPLICA_URL: '', REDIS_URL: address.url };
  const mailer = await startWorker('mailer', startMailer, environment);
  onTestFinished(async () => {
    await mailer.stop();
    await database.close();
  });
  const checks = async () => (await mailer.process.health.readiness()).checks;
  expect(await checks()).toMatchObject({ redis: 'ok' });
  await command(first, 'replicaof', '127.0.0.1', new URL(second.url).port); // and the address still leads there
  await until('readiness knows', async () => /READONLY/.test((await checks())['redis'] ?? ''));
  address.leadTo(second);
  await until('it is ready', async () => (await mailer.process.health.readiness()).ready);
});

test('while the address leads to a replica, it is dialled about once a second, not at every command', async () => {
  const redis = await opened();
  await command(first, 'replicaof', '127.0.0.1', new URL(second.url).port);
  const before = address.dialled();
  const end = performance.now() + 3_000;
  let refused = 0;
  for (; performance.now() < end; await tick()) await redis.set('a', '1').catch(() => refused++);
  expect(refused).toBeGreaterThan(20);
  expect(address.dialled() - before).toBeGreaterThan(1);
  expect(address.dialled() - before).toBeLessThanOrEqual(5);
});

test('a replica that has lost its primary and refuses reads is replaced too', async () => {
  const redis = await opened();
  await command(first, 'config', 'set', 'replica-serve-stale-data', 'no');
  onTestFinished(async () => void (await command(first, 'config', 'set', 'replica-serve-stale-data', 'yes')));
  await command(first, 'replicaof', '127.0.0.1', String(await getPort()));
  address.leadTo(second);
  await until(
    'it reads again',
    () =>
      redis.get('a').then(
        () => true,
        () => false,
      ),
    5_000,
  );
});

test('a full Redis is not taken for one that refuses writes, so that processes which hardly need it stay ready', async () => {
  const redis = await opened();
  await command(first, 'config', 'set', 'maxmemory', '1');
  onTestFinished(async () => void (await command(first, 'config', 'set', 'maxmemory', '64mb')));
  await expect(redis.set('a', '1')).rejects.toThrow('OOM');
  await probeWrite(redis);
});

async function opened(): Promise<Redis> {
  const redis = await openRedis(address.url, log);
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** Over a connection of its own, straight to the server. */
async function command(server: RedisServer, name: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis(server.url);
  try {
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

interface Address {
  readonly url: string;
  /** For connections from now on; open ones stay where they are. */
  leadTo(server: RedisServer): void;
  /** How many connections there have been. */
  dialled(): number;
  close(): void;
}

/** As a name in the DNS or a proxy: what a failover changes. */
async function createAddress(server: RedisServer): Promise<Address> {
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
