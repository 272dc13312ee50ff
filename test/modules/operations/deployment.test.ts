import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectionsAllowed } from '../../../src/db/connection-budget.ts';
import { CONNECTIONS_RESERVED, POOL_PRIMARY } from '../../../src/limits.ts';
import { createLog } from '../../../src/log.ts';
import { alerts } from '../../../src/modules/operations/alert-rules.ts';
import { type DeploymentParts, watchDeployment } from '../../../src/modules/operations/deployment.ts';
import { judge } from '../../../src/modules/operations/judge.ts';
import { createMetrics, type ProcessReport } from '../../../src/process/metrics.ts';
import { noticePredecessors } from '../../../src/redis/deaths.ts';
import { publishReports } from '../../../src/redis/process-reports.ts';
import { openRedis } from '../../../src/redis/redis.ts';
import { createMemoryStops } from '../../asked-stops.ts';
import { makeCertificate } from '../../certificate.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { createQuietLog } from '../../process/quiet-log.ts';
import { emptyRedis, testRedisUrl } from '../../worker.ts';

const log = createLog('test', 'silent');
const HOUR_SECONDS = 3_600;

let on: TestDatabase;
let redis: Redis;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());
beforeEach(async () => {
  await emptyRedis();
  redis = await openRedis(testRedisUrl(), log);
});
afterEach(() => redis.disconnect());

function watch(config: Partial<DeploymentParts['config']>, watchLog = log, metrics = createMetrics('mailer')) {
  const look = watchDeployment({
    config: {
      apiUrl: 'http://127.0.0.1:1',
      chatUrl: 'http://127.0.0.1:1',
      diskPath: '/',
      instances: { api: 0, chat: 0, mailer: 0, all: 0 },
      ...config,
    },
    database: on.database,
    ...{ redis, queues: [], metrics, log: watchLog },
  });
  return async (): Promise<ProcessReport['own']> => {
    await look();
    return metrics.report().own;
  };
}

/** What the alerts see after one look. */
const seen = (config: Partial<DeploymentParts['config']> = {}) => watch(config)();

const say = (name: string) =>
  publishReports(redis, { report: () => ({ ...createMetrics(name).report(), name }), stops: createMemoryStops() }).stop(
    false,
  );

test('knows how old the oldest event in the outbox is, and that there is none', async () => {
  expect((await seen())['outbox_oldest_seconds']).toBe(0);
  await on.db
    .insertInto('outbox')
    .values({
      org_id: 1,
      topic: 'nobody',
      payload: '{}',
      created_at: new Date(Date.now() - 90_000).toISOString(),
    } as never)
    .execute();
  const age = (await seen())['outbox_oldest_seconds'];
  await on.db.deleteFrom('outbox').execute();
  expect(age).toBeGreaterThan(89);
  expect(age).toBeLessThan(120);
});

test('counts the age of a backup from the last one, and without any from the first migration', async () => {
  const young = (await seen())['backup_age_seconds'];
  expect(young).toBeLessThan(HOUR_SECONDS);
  const finished_at = new Date(Date.now() - 30 * HOUR_SECONDS * 1_000).toISOString();
  await on.db.insertInto('backups').values({ kind: 'full', finished_at }).execute();
  expect((await seen())['backup_age_seconds']).toBeGreaterThan(29 * HOUR_SECONDS);
});

test('knows how much of its log the primary keeps, how full it and Redis are, and the disk', async () => {
  const own = await seen();
  expect(own['replication_slot_max_bytes']).toBeGreaterThan(0);
  expect(own['replication_slot_bytes']).toBeGreaterThanOrEqual(0);
  expect(own['database_connections']).toBeLessThan(own['database_connections_max'] ?? 0);
  expect(own['redis_used_bytes']).toBeGreaterThan(0);
  expect(own['disk_free_share']).toBeGreaterThan(0);
  expect(own['disk_free_share']).toBeLessThanOrEqual(1);
  expect([own['database_unreachable'], own['redis_unreachable']]).toEqual([0, 0]);
});

test('misses the processes that should report and do not; one that does the work of three counts for each', async () => {
  const instances = { api: 2, chat: 1, mailer: 1, all: 0 };
  await say('api');
  expect((await seen({ instances }))['processes_missing']).toBe(3);
  await say('all');
  expect((await seen({ instances }))['processes_missing']).toBe(0);
});

test('adds up the connections of what runs and of what was told, and logs once when they are too many', async () => {
  const { log: quiet, info, error } = createQuietLog();
  const look = watch({ instances: { api: 1, chat: 0, mailer: 0, all: 0 } }, quiet);
  const allowed = await connectionsAllowed(on.db);
  const one = { connections_needed: POOL_PRIMARY.api + CONNECTIONS_RESERVED, connections_allowed: allowed };
  expect(await look()).toMatchObject(one);
  const count = Math.floor((allowed - CONNECTIONS_RESERVED) / POOL_PRIMARY.api) + 1;
  const keys = Array.from({ length: count }, (_, nth) => `tardigrade:process:api:host-${nth}:1`);
  for (const key of keys)
    await redis.multi().set(key, '{"name":"api","pid":1}').zadd('tardigrade:processes', Date.now(), key).exec();
  for (let time = 0; time < 3; time++)
    expect((await look())['connections_needed']).toBe(count * POOL_PRIMARY.api + CONNECTIONS_RESERVED);
  const needed = count * POOL_PRIMARY.api + CONNECTIONS_RESERVED;
  const connections = `api ${count} x ${POOL_PRIMARY.api} + ${CONNECTIONS_RESERVED} reserved = ${needed} of ${allowed}`;
  expect(error.mock.calls).toEqual([[{ connections }, expect.stringContaining('more connections than')]]);
  await redis.del(keys);
  expect(await look()).toMatchObject(one);
  expect(info.mock.calls).toEqual([[expect.anything(), expect.stringContaining('fit again')]]);
  expect(error).toHaveBeenCalledTimes(1);
});

test('counts the deaths of the last minutes by their cause', async () => {
  await noticePredecessors(redis, createMemoryStops(), createMetrics('api').report(), 'oom-kill');
  await noticePredecessors(redis, createMemoryStops(), createMetrics('chat').report(), 'exit code 1');
  expect(await seen()).toMatchObject({ oom_kills_recent: 1, crashes_recent: 1 });
});

test('an alert about processes that end again and again says which, how often and since when', async () => {
  const died = async (name: string, times: number) => {
    for (let time = 0; time < times; time++)
      await noticePredecessors(redis, createMemoryStops(), createMetrics(name).report(), 'exit code 1');
  };
  const metrics = createMetrics('mailer');
  const look = watch({}, log, metrics);
  const details = async () => {
    await look();
    const rules = alerts.filter(({ name }) => name === 'Crashing' || name === 'OutOfMemory');
    return judge(rules, [metrics.report()], [], true)
      .filter(({ holds }) => holds)
      .map(({ detail }) => detail);
  };
  expect(await details()).toEqual([]);
  await died('api', 1);
  await died('chat', 3);
  await noticePredecessors(redis, createMemoryStops(), createMetrics('all').report(), 'oom-kill');
  const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;
  expect(await details()).toEqual([
    expect.stringMatching(new RegExp(`^all was killed once, at ${TIME}, on .+: 1 \\(above 0\\)$`)),
    expect.stringMatching(
      new RegExp(`^chat died 3 times since ${TIME}, last on .+; api died once, at ${TIME}, on .+: 4 \\(above 2\\)$`),
    ),
  ]);
});

test('a server that is away is unreachable, and nothing else is claimed to be known about it', async () => {
  redis.disconnect();
  const own = await seen();
  expect(own['redis_unreachable']).toBe(1);
  for (const unknown of ['redis_used_bytes', 'processes_missing', 'queue_oldest_seconds', 'oom_kills_recent'])
    expect(own).not.toHaveProperty(unknown);
  expect(own['database_unreachable']).toBe(0);
});

test('knows when the certificate behind a public address ends; without https there is none', async () => {
  expect(await seen()).not.toHaveProperty('certificate_seconds_left');
  const { certificate, key, remove } = makeCertificate('localhost');
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apiUrl = `https://localhost:${(server.address() as AddressInfo).port}`;
    const left = (await seen({ apiUrl }))['certificate_seconds_left'] ?? 0;
    expect(left / HOUR_SECONDS).toBeGreaterThan(71);
    expect(left / HOUR_SECONDS).toBeLessThanOrEqual(72);
  } finally {
    server.close();
    remove();
  }
});
