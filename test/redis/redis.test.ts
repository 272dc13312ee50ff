import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { StartError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { consumerConnection, notConnected, openRedis } from '../../src/redis/redis.ts';
import { until } from '../database.ts';
import { createTcpGate, type TcpGate } from '../tcp-gate.ts';
import { testRedisUrl } from '../worker.ts';

let gate: TcpGate;
let redis: Redis;
beforeEach(async () => {
  const url = new URL(testRedisUrl());
  gate = await createTcpGate(new URL(url), await freePort());
  url.port = String(gate.port);
  redis = await openRedis(url.href, createLog('test', 'silent'));
});
afterEach(async () => {
  redis.disconnect();
  await gate.shut();
});

test('while Redis is away a command fails at once instead of waiting in memory', async () => {
  await gate.shut();
  await until('the loss was noticed', () => redis.status !== 'ready');
  await expect(redis.ping()).rejects.toThrow(/isn't writeable/);
});

test('the same connection works again when Redis is back', async () => {
  await gate.shut();
  await until('the loss was noticed', () => redis.status !== 'ready');
  await gate.open();
  expect(await until('it answers', () => redis.ping().catch(() => ''))).toBe('PONG');
});

test('a command to a Redis that hangs fails in time, and the connection is replaced before the kernel gives it up', async () => {
  expect(await redis.ping()).toBe('PONG');
  gate.silence();
  await expect(redis.ping()).rejects.toThrow(/timed out/);
  expect(await until('it answers', () => redis.ping().catch(() => ''))).toBe('PONG');
});

test('a process that could do nothing for a while keeps its connections, whose answers have come meanwhile', async () => {
  const silenceMs = 1_000; // for which Redis itself may have to wait for a processor
  const { url, ...options } = consumerConnection(testRedisUrl(), createLog('test', 'silent'), silenceMs);
  const own = new Redis(url, { ...options, lazyConnect: true });
  onTestFinished(() => own.disconnect());
  await own.connect();
  let closed = 0;
  own.on('close', () => closed++);
  const answer = own.ping();
  await new Promise(setImmediate); // it is sent
  const busyUntil = performance.now() + 1.5 * silenceMs;
  while (performance.now() < busyUntil);
  expect(await answer).toBe('PONG');
  expect(closed).toBe(0);
});

test.each([true, false])(
  'a database that the server does not have is refused, and not replaced by the first one',
  async (wait) => {
    const url = new URL('/99', testRedisUrl()).href;
    await expect(openRedis(url, createLog('test', 'silent'), { wait })).rejects.toThrow(
      new StartError('Redis has no database 99, which REDIS_URL ends with: ERR DB index is out of range.'),
    );
  },
);

test.each([
  [
    'WRONGPASS invalid username-password pair or user is disabled.',
    /^Redis at r:6379 does not let us in: WRONGPASS .* Are the user name and the password in REDIS_URL right\?$/,
  ],
  ['getaddrinfo ENOTFOUND r', /^Redis does not answer at r:6379 within 30 s: getaddrinfo ENOTFOUND r\. Is it running/],
])('a start that gives up says why: %s', (said, sentence) => {
  expect(notConnected('r:6379', new Error(said))).toMatch(sentence);
});
