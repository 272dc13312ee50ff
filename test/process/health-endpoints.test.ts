import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHealth } from '../../src/process/health-check.ts';
import { answerHealth, createHealthServer, HEALTH_PATHS } from '../../src/process/health-endpoints.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { until } from '../database.ts';

const stop = new AbortController();
const health = createHealth(stop.signal);
const metrics = createMetrics('mailer');
const server = createHealthServer(health, metrics);
let url: string;

beforeAll(async () => {
  health.register('database', async () => 1);
  metrics.gauge('mails_in_flight', 'Mails being handed over', () => 7);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

test('a running process is live and ready, and neither answer may be cached', async () => {
  const live = await fetch(`${url}/livez?from=balancer`);
  expect([live.status, await live.text()]).toEqual([200, 'ok\n']);
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([200, { ready: true, checks: { database: 'ok' } }]);
  expect(ready.headers.get('cache-control')).toBe('no-store');
});

test('a deployment that is marked as staging says so, for the tools that put it under load', async () => {
  const marked = createHealth(stop.signal, 'staging');
  const answer = await answerHealth({ path: '/readyz', headers: {} }, marked, metrics);
  expect(JSON.parse(answer?.body ?? '')).toMatchObject({ ready: true, environment: 'staging' });
});

test.each([
  ['x-forwarded-for', '203.0.113.7'],
  ['forwarded', 'for=203.0.113.7'],
])('through a proxy readiness says whether, and not why: reasons name servers (%s)', async (header, value) => {
  const failing = createHealth(stop.signal, 'staging');
  failing.register('database', async () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.5:5432')));
  const ask = async (headers: Record<string, string>) =>
    JSON.parse((await answerHealth({ path: '/readyz', headers }, failing, metrics))?.body ?? '');
  expect(await ask({ [header]: value })).toEqual({ ready: false, environment: 'staging' });
  expect(await ask({})).toMatchObject({ checks: { database: 'connect ECONNREFUSED 10.0.0.5:5432' } });
});

test('metrics are answered to callers that reach the process directly', async () => {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.headers.get('content-type')).toContain('version=0.0.4');
  expect(await answer.text()).toContain('tardigrade_mails_in_flight{process="mailer"} 7');
});

test.each([
  ['x-forwarded-for', '203.0.113.7'],
  ['forwarded', 'for=203.0.113.7'],
])('metrics are not there for what came through a proxy (%s)', async (header, value) => {
  const answer = await fetch(`${url}/metrics`, { headers: { [header]: value } });
  expect([answer.status, await answer.text()]).toEqual([404, 'not found\n']);
});

test('a process has started once it was ready, and stays so while a server that it needs is away', async () => {
  const late = createHealth(new AbortController().signal);
  let away = true;
  late.register('database', async () => {
    if (away) throw new Error('away');
  });
  const started = async () => (await answerHealth({ path: '/startedz', headers: {} }, late, metrics))?.status;
  expect(await started()).toBe(503);
  away = false;
  await until('it is ready', async () => (await started()) === 200);
  away = true;
  await until('it is not ready any more', async () => !(await late.readiness()).ready);
  expect(await started()).toBe(200);
});

test('any other path is a 404 on the health server, and is left to the framework in the api', async () => {
  expect((await fetch(`${url}/readyz/`)).status).toBe(404);
  expect(await answerHealth({ path: '/api/v1/me', headers: {} }, health, metrics)).toBeUndefined();
  for (const path of HEALTH_PATHS) expect(await answerHealth({ path, headers: {} }, health, metrics)).toBeDefined();
});

test('a process that is stopping is live, but not ready', async () => {
  stop.abort();
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
});
