import { setImmediate as tick } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { openConsumer, openQueue } from '../../src/queue/queues.ts';
import { openRedis, probeWrite } from '../../src/redis/redis.ts';
import { createFanOut } from '../../src/socket/fan-out.ts';
import { start as startMailer } from '../../workers/mailer.ts';
import { createTestDatabase, until } from '../database.ts';
import { type Address, command, createAddress, startTwoServers, type TwoServers } from '../two-redis-servers.ts';
import { startWorker, testEnvironment } from '../worker.ts';

const log = createLog('test', 'silent');

const FAN_OUT = {
  name: 'failover',
  onGap: () => undefined,
  timing: { beatMs: 100, silenceMs: 250, reconnectMs: 500 },
};

let servers: TwoServers;
let address: Address;
beforeAll(async () => {
  servers = await startTwoServers();
});
afterAll(() => servers?.stop());
beforeEach(async () => {
  await servers.reset();
  address = await createAddress(servers.first);
});
afterEach(() => address.close());

const failOver = () => servers.failOver(address);

test('a connection is replaced when its server has become a replica', async () => {
  const redis = await opened();
  await redis.set('a', '1');
  await failOver();
  await until('it writes again', () => redis.set('a', '2').catch(() => ''));
  expect(await command(servers.second, 'get', 'a')).toBe('2');
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
  expect(await command(servers.second, 'exists', 'bull:failover:meta')).toBe(1);
});

test('what a process that connected before the failover publishes is heard by one that came after it', async () => {
  const heard: string[] = [];
  const parts = { ...FAN_OUT, metrics: createMetrics('test'), onMessage: () => undefined };
  const before = createFanOut({ ...parts, redis: await opened() });
  onTestFinished(before.close);
  await failOver();
  const onMessage = (_key: string, text: string) => void heard.push(text);
  const after = createFanOut({ ...parts, metrics: createMetrics('test'), redis: await opened(), onMessage });
  onTestFinished(after.close);
  await after.join('room');
  await until('it is heard', () => {
    before.publish('room', 'hello');
    return heard.includes('hello');
  });
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
  await command(servers.first, 'replicaof', '127.0.0.1', new URL(servers.second.url).port); // and the address still leads there
  await until('readiness knows', async () => /READONLY/.test((await checks())['redis'] ?? ''));
  address.leadTo(servers.second);
  await until('it is ready', async () => (await mailer.process.health.readiness()).ready);
});

test('while the address leads to a replica, it is dialled about once a second, not at every command', async () => {
  const redis = await opened();
  await command(servers.first, 'replicaof', '127.0.0.1', new URL(servers.second.url).port);
  const before = address.dialled();
  const begun = performance.now();
  let refused = 0;
  for (; performance.now() < begun + 3_000; await tick()) await redis.set('a', '1').catch(() => refused++);
  const seconds = (performance.now() - begun) / 1_000;
  expect(refused).toBeGreaterThan(20);
  expect(address.dialled() - before).toBeGreaterThan(1);
  expect(address.dialled() - before).toBeLessThanOrEqual(seconds + 2);
});

test('a replica that has lost its primary and refuses reads is replaced too', async () => {
  const redis = await opened();
  await command(servers.first, 'config', 'set', 'replica-serve-stale-data', 'no');
  onTestFinished(async () => void (await command(servers.first, 'config', 'set', 'replica-serve-stale-data', 'yes')));
  await command(servers.first, 'replicaof', '127.0.0.1', String(await freePort()));
  address.leadTo(servers.second);
  await until('it reads again', () =>
    redis.get('a').then(
      () => true,
      () => false,
    ),
  );
});

test('a full Redis is not taken for one that refuses writes, so that processes which hardly need it stay ready', async () => {
  const redis = await opened();
  await command(servers.first, 'config', 'set', 'maxmemory', '1');
  onTestFinished(async () => void (await command(servers.first, 'config', 'set', 'maxmemory', '64mb')));
  await expect(redis.set('a', '1')).rejects.toThrow('OOM');
  await probeWrite(redis);
});

async function opened(): Promise<Redis> {
  const redis = await openRedis(address.url, log);
  onTestFinished(() => redis.disconnect());
  return redis;
}
