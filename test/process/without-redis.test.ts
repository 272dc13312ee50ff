import { createServer, type Server, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { createAskedStops } from '../../src/db/asked-stops.ts';
import { HEALTH_CHECK_MS, START_MS } from '../../src/limits.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { noticePredecessors } from '../../src/redis/deaths.ts';
import { start as startChat } from '../../workers/chat.ts';
import { start as startMailer } from '../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../database.ts';
import { registerClient } from '../registration.ts';
import { runApi } from '../running-api.ts';
import { createTcpGate } from '../tcp-gate.ts';
import { emptyRedis, startWorker, testEnvironment, testRedisUrl } from '../worker.ts';

/** An answer that waited for a silent Redis takes at least this long. */
const PROBE_MS = HEALTH_CHECK_MS;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
});
afterAll(() => database.close());

describe.each([
  ['down', nobody],
  ['frozen', silent],
] as const)('while Redis is %s', (_state, redis) => {
  test('the api starts, is ready, signs people in, reads and writes, and says on the operations page what is missing', async () => {
    const begun = performance.now();
    const api = await runApi({ REDIS_URL: await redis() });
    onTestFinished(() => api.stop());
    expect(performance.now() - begun).toBeLessThan(START_MS); // after which a process gives up
    expect(await readiness(api.url)).toMatchObject({ status: 200, body: { ready: true, checks: { database: 'ok' } } });
    const owner = await registerClient(api);
    expect((await owner.send('POST', '/api/v1/notes', { title: 'Written without Redis' })).status).toBe(201);
    expect(await owner.get('/api/v1/notes')).toMatchObject({ body: { items: [{ title: 'Written without Redis' }] } });
    const operations = await (await api.operator()).get('/api/v1/operations');
    expect(operations).toMatchObject({ status: 200, body: { redis: null, queues: [], processes: [{ name: 'api' }] } });
  });

  test('the chat starts and is ready', async () => {
    const chat = await startWorker('chat', startChat, {
      ...(await testEnvironment(database)),
      ...{ DATABASE_REPLICA_URL: '', REDIS_URL: await redis() },
    });
    onTestFinished(() => void chat.stop());
    expect(await readiness(chat.config.chatUrl)).toMatchObject({ status: 200, body: { checks: { database: 'ok' } } });
  });
});

test('an api whose Redis freezes stays ready, and shows all processes again when it is back', async () => {
  const gate = await createTcpGate(new URL(testRedisUrl()), await freePort());
  const url = new URL(testRedisUrl());
  url.port = String(gate.port);
  const api = await runApi({ REDIS_URL: url.href });
  onTestFinished(async () => {
    await api.stop();
    await gate.shut();
  });
  const operator = await api.operator();
  const redis = async () => (await operator.get<{ redis: object | null }>('/api/v1/operations')).body.redis;
  await until('Redis is there', async () => (await redis()) !== null);
  gate.silence();
  expect(await redis()).toBeNull();
  expect(await readiness(api.url)).toMatchObject({ status: 200 });
  expect((await operator.get('/api/v1/me')).status).toBe(200);
  await gate.shut();
  await gate.open();
  await until('Redis is back', async () => (await redis()) !== null);
});

test('the mailer cannot work without Redis: it is ready only while Redis takes writes', async () => {
  const gate = await createTcpGate(new URL(testRedisUrl()), await freePort());
  const url = new URL(testRedisUrl());
  url.port = String(gate.port);
  const environment = { ...(await testEnvironment(database)), DATABASE_REPLICA_URL: '', REDIS_URL: url.href };
  const mailer = await startWorker('mailer', startMailer, environment);
  onTestFinished(async () => {
    await mailer.stop();
    await gate.shut();
  });
  const at = `http://127.0.0.1:${mailer.config.mailerPort}`;
  expect(await readiness(at)).toMatchObject({ status: 200, body: { checks: { database: 'ok', redis: 'ok' } } });
  await gate.shut();
  await until('it is not ready', async () => (await fetch(`${at}/readyz`)).status === 503);
  await gate.open();
  await until('it is ready again', async () => (await fetch(`${at}/readyz`)).status === 200);
});

test('a chat that is asked to stop while Redis is down is not taken for one that died', async () => {
  const gate = await createTcpGate(new URL(testRedisUrl()), await freePort());
  const url = new URL(testRedisUrl());
  url.port = String(gate.port);
  await emptyRedis();
  const redis = new Redis(testRedisUrl());
  onTestFinished(() => redis.disconnect());
  const environment = { ...(await testEnvironment(database)), DATABASE_REPLICA_URL: '', REDIS_URL: url.href };
  const chat = await startWorker('chat', startChat, environment);
  const traces = () => redis.hlen('tardigrade:lives');
  await until('it has reported', async () => (await traces()) === 1);
  await gate.shut();
  expect(await chat.stop()).toBe(true);
  expect(await traces()).toBe(1);
  const next = { ...createMetrics('chat').report(), startedAt: 'later' };
  expect(await noticePredecessors(redis, createAskedStops(database.database), next, '')).toEqual([]);
  expect(await traces()).toBe(0);
});

async function readiness(url: string) {
  const begun = performance.now();
  const answer = await fetch(`${url}/readyz`);
  const body = (await answer.json()) as { ready: boolean; checks: Record<string, string> };
  expect(performance.now() - begun).toBeLessThan(PROBE_MS);
  return { status: answer.status, body };
}

async function nobody(): Promise<string> {
  return `redis://127.0.0.1:${await freePort()}`;
}

/** Takes connections and never answers, like a process that was stopped with SIGSTOP. */
async function silent(): Promise<string> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `redis://127.0.0.1:${port}`;
}
