import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetrics } from '../../../src/process/metrics.ts';
import { openQueue } from '../../../src/queue/queues.ts';
import { noticePredecessors } from '../../../src/redis/deaths.ts';
import { openRedis } from '../../../src/redis/redis.ts';
import type { ApiClient } from '../../api-client.ts';
import { createMemoryStops } from '../../asked-stops.ts';
import { until } from '../../database.ts';
import { createTcpProxy, type TcpProxy } from '../../db/tcp-proxy.ts';
import { TEST_MODULES } from '../../modules.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { testRedisUrl } from '../../worker.ts';

interface Operations {
  readonly processes: {
    name: string;
    pid: number;
    gauges: Record<string, number>;
    words: Record<string, string>;
    memory: Record<string, unknown>;
  }[];
  readonly alerts: { rule: string; process: string; detail: string; since: string }[];
  readonly deaths: { at: string; cause: string; says: string }[];
  readonly replica: { state: string; lagMs: number | null; lagBytes: number | null };
  readonly queues: { name: string; waiting: number; active: number; delayed: number; failed: number }[];
  readonly outbox: { waiting: number };
  readonly database: {
    connections: number;
    connectionsMax: number;
    sizeBytes: number;
    budget: { needed: number; allowed: number; arithmetic: string } | null;
  };
  readonly redis: { usedBytes: number; maxBytes: number } | null;
}

const QUEUE = 'tested';

let proxy: TcpProxy;
let api: RunningApi;
let operator: ApiClient;
beforeAll(async () => {
  proxy = await createTcpProxy(testRedisUrl());
  api = await runApi({ REDIS_URL: proxy.url }, [...TEST_MODULES, { name: 'queueing', queues: [QUEUE] }]);
  operator = await api.operator('admin');
});
afterAll(async () => {
  await api.stop();
  await proxy.close();
});

const operations = async () => (await operator.get<Operations>('/api/v1/operations')).body;

test('shows this process with its memory and its pools', async () => {
  // Its first report is sent before its server is there.
  const { processes } = await until('the process has reported', async () => {
    const answer = await operations();
    return answer.processes[0]?.words['requests_in_flight'] === undefined ? undefined : answer;
  });
  expect(processes).toHaveLength(1);
  expect(processes[0]).toMatchObject({ name: 'api', pid: process.pid });
  expect(processes[0]?.memory).toMatchObject({ rssBytes: expect.any(Number), limitBytes: expect.any(Number) });
  expect(Object.keys(processes[0]?.gauges ?? {})).toEqual(
    expect.arrayContaining(['pool_primary_used', 'pool_primary_max', 'pool_replica_waiting']),
  );
  expect(Object.keys(processes[0]?.words ?? {}).toSorted()).toEqual(Object.keys(processes[0]?.gauges ?? {}).toSorted());
  expect(processes[0]?.words['requests_in_flight']).toBe('Requests being answered');
});

test('adds up the connections of what runs and of what was told', async () => {
  const { budget, connectionsMax } = (await operations()).database;
  expect(budget?.arithmetic).toMatch(/^api 1 x 5 \+ mailer 1 x 4 \+ chat 1 x 5 \+ 8 reserved = 22 of \d+$/);
  expect(budget?.needed).toBe(22);
  expect(budget?.allowed).toBeLessThan(connectionsMax);
});

test('shows that the replica is in use, and how far it is behind', async () => {
  const { replica } = await until('the replica is in use', async () => {
    const answer = await operations();
    return answer.replica.state === 'usable' ? answer : undefined;
  });
  expect(replica.lagMs).toBeGreaterThanOrEqual(0);
  expect(replica.lagBytes).toBeGreaterThanOrEqual(0);
});

test('counts what waits in each queue and in the outbox', async () => {
  const redis = await openRedis(testRedisUrl(), api.worker.process.log);
  const queue = openQueue(QUEUE, redis);
  await queue.addBulk([
    { name: 'a', data: {} },
    { name: 'b', data: {} },
    { name: 'c', data: {}, opts: { delay: 60_000 } },
  ]);
  await operator.send('POST', '/api/v1/notes', { title: 'Leaves an event in the outbox' });
  const shown = await operations();
  await queue.obliterate({ force: true });
  await queue.close();
  redis.disconnect();
  expect(shown.queues.map(({ name }) => name)).toEqual([...TEST_MODULES.flatMap(({ queues = [] }) => queues), QUEUE]);
  expect(shown.queues.at(-1)).toEqual({ name: QUEUE, waiting: 2, active: 0, delayed: 1, failed: 0 });
  expect(shown.outbox).toEqual({ waiting: 1 });
});

test('shows the database and Redis with their limits', async () => {
  const { database, redis } = await operations();
  expect(database.connections).toBeGreaterThan(0);
  expect(database.connectionsMax).toBeGreaterThan(database.connections);
  expect(database.sizeBytes).toBeGreaterThan(1_000_000);
  expect(redis?.usedBytes).toBeGreaterThan(0);
});

test('shows the alerts that fire and the processes that died, and none that are over', async () => {
  const alert = { process: 'api', value: 1, detail: 'api (pid 1): 93 % (above 85 %)', since: '2026-11-26T01:00:00Z' };
  await api.database.db
    .insertInto('alerts')
    .values([
      { ...alert, rule: 'Firing', fired_at: '2026-11-26T01:01:00Z' },
      { ...alert, rule: 'Pending' },
      { ...alert, rule: 'Over', fired_at: '2026-11-26T01:01:00Z', over_at: '2026-11-26T02:00:00Z' },
    ])
    .execute();
  const redis = await openRedis(testRedisUrl(), api.worker.process.log);
  await noticePredecessors(redis, createMemoryStops(), { ...createMetrics('chat').report() }, 'oom-kill');
  redis.disconnect();
  const { alerts, deaths } = await operations();
  expect(alerts).toEqual([{ rule: 'Firing', process: 'api', detail: alert.detail, since: '2026-11-26T01:00:00Z' }]);
  expect(deaths).toMatchObject([{ cause: 'oom', says: expect.stringContaining('chat') }]);
});

test('answers without Redis as well, with this process alone and no queues', async () => {
  await proxy.close();
  const answer = await operator.get<Operations>('/api/v1/operations');
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ processes: [{ name: 'api', pid: process.pid }], queues: [], redis: null });
  expect(answer.body.database.connections).toBeGreaterThan(0);
  expect((await operator.get('/api/v1/notes')).status).toBe(200);
});
