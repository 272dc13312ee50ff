import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HEALTH_CACHE_MS, HEALTH_CHECK_MS } from '../../src/limits.ts';
import { createHealth } from '../../src/process/health-check.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const NEVER = new AbortController().signal;

test('a process is ready when every part of it answers', async () => {
  const health = createHealth(NEVER);
  health.register('database', async () => 1);
  health.register('redis', async () => 'PONG');
  expect(await health.readiness()).toEqual({ ready: true, checks: { database: 'ok', redis: 'ok' } });
});

test('one part that fails makes the process not ready and says why, and the others are still reported', async () => {
  const health = createHealth(NEVER);
  health.register('database', () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.5:5432')));
  health.register('redis', async () => 'PONG');
  expect(await health.readiness()).toEqual({
    ready: false,
    checks: { database: 'connect ECONNREFUSED 10.0.0.5:5432', redis: 'ok' },
  });
});

test('a part that throws synchronously counts as failed, and does not break the probe', async () => {
  const health = createHealth(NEVER);
  health.register('redis', () => {
    throw new TypeError('Connection is closed');
  });
  expect(await health.readiness()).toEqual({ ready: false, checks: { redis: 'Connection is closed' } });
});

test('a part that does not answer in time counts as failed', async () => {
  const health = createHealth(NEVER);
  health.register('database', () => new Promise(() => undefined));
  const probe = health.readiness();
  await vi.advanceTimersByTimeAsync(HEALTH_CHECK_MS);
  expect(await probe).toEqual({ ready: false, checks: { database: `no answer within ${HEALTH_CHECK_MS} ms` } });
});

test('a thousand probes in a second cost one check', async () => {
  const health = createHealth(NEVER);
  const check = vi.fn(async () => 1);
  health.register('database', check);
  await Promise.all(Array.from({ length: 1_000 }, () => health.readiness()));
  await vi.advanceTimersByTimeAsync(HEALTH_CACHE_MS);
  await health.readiness();
  expect(check).toHaveBeenCalledTimes(1);

  await vi.advanceTimersByTimeAsync(1);
  await health.readiness();
  expect(check).toHaveBeenCalledTimes(2);
});

test('a part that has recovered is noticed after the cache time', async () => {
  const health = createHealth(NEVER);
  let up = false;
  health.register('redis', async () => {
    if (!up) throw new Error('away');
  });
  expect((await health.readiness()).ready).toBe(false);
  up = true;
  await vi.advanceTimersByTimeAsync(HEALTH_CACHE_MS + 1);
  expect((await health.readiness()).ready).toBe(true);
});

test('a process that is stopping is not ready at once, whatever was cached, so that it gets no new traffic', async () => {
  const stop = new AbortController();
  const health = createHealth(stop.signal);
  health.register('database', async () => 1);
  expect((await health.readiness()).ready).toBe(true);
  stop.abort();
  expect(await health.readiness()).toEqual({ ready: false, checks: { process: 'stopping' } });
});
