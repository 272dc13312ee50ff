/** Real processes on a real Redis and PostgreSQL: one that nobody was told of, beside others on hosts that only report. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectionsAllowed } from '../../src/db/connection-budget.ts';
import { POOL_PRIMARY } from '../../src/limits.ts';
import { createTestDatabase, type TestDatabase, until } from '../database.ts';
import { emptyRedis, testEnvironment, testRedisUrl } from '../worker.ts';
import { LAUNCH, launch } from './launched.ts';

let on: TestDatabase;
let environment: Record<string, string>;
const redis = new Redis(testRedisUrl());
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  environment = { ...(await testEnvironment(on)), DATABASE_REPLICA_URL: '', LOG_LEVEL: 'info' };
  Object.assign(environment, { API_INSTANCES: '0', MAILER_INSTANCES: '0' });
});
beforeEach(emptyRedis);
afterAll(async () => {
  redis.disconnect();
  await on.close();
});

/** As many on other hosts as have room, and the reserve is gone. Returns how two of them leave. */
async function fillServer(name: 'api' | 'chat'): Promise<() => Promise<unknown>> {
  const count = Math.floor((await connectionsAllowed(on.db)) / POOL_PRIMARY[name]);
  const hosts = Array.from({ length: count }, (_, nth) => `other-${nth}`);
  const keyOf = (host: string) => `tardigrade:process:${name}:${host}:1`;
  for (const host of hosts) {
    const report = JSON.stringify({ name, pid: 1, host, firstAt: 1 });
    await redis.multi().set(keyOf(host), report).zadd('tardigrade:processes', Date.now(), keyOf(host)).exec();
  }
  return () => redis.del(hosts.slice(-2).map(keyOf));
}

const isStarted = (lines: () => Record<string, unknown>[]) => lines().some(({ msg }) => msg === 'started');
const waits = (lines: () => Record<string, unknown>[]) =>
  lines().find(({ msg }) => String(msg).includes('no connections are left'));

test('a chat that was added waits while the server has no room for its pool, and starts when others leave', async () => {
  const leave = await fillServer('chat');
  const { lines } = launch([LAUNCH, 'chat'], environment);
  const waiting = await until('it waits', () => waits(lines));
  expect(waiting['connections']).toMatch(/^chat \d+ x 5 \+ 8 reserved = \d+ of \d+$/);
  expect(isStarted(lines)).toBe(false);
  await leave();
  await until('it has started', () => isStarted(lines));
});

test('a chat that the numbers name starts at once, however many others were added', async () => {
  await fillServer('api');
  const { lines } = launch([LAUNCH, 'chat'], environment);
  await until('it has started', () => isStarted(lines));
  expect(waits(lines)).toBeUndefined();
});
