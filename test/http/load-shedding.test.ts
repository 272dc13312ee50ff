import { afterAll, beforeAll, expect, test } from 'vitest';
import { REQUESTS_IN_FLIGHT_MAX, RETRY_AFTER_SECONDS } from '../../src/limits.ts';
import { until } from '../database.ts';
import { type RunningApi, runApi, slowRequest } from '../running-api.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test('a request beyond the limit is told at once to come back, while health probes are answered', async () => {
  const slow = await occupy(REQUESTS_IN_FLIGHT_MAX);
  const begun = performance.now();
  const refused = await fetch(`${api.url}/api/me`);
  const refusedInMs = performance.now() - begun;
  const probe = await fetch(`${api.url}/livez`);
  for (const request of slow) request.cut();

  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe(String(RETRY_AFTER_SECONDS));
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
  expect(await refused.json()).toMatchObject({ status: 503, code: 'overloaded' });
  expect(refusedInMs).toBeLessThan(500);
  expect(probe.status).toBe(200);
});

test('a request just below the limit is answered', async () => {
  const slow = await occupy(REQUESTS_IN_FLIGHT_MAX - 1);
  const answered = await fetch(`${api.url}/api/me`);
  for (const request of slow) request.cut();
  expect(answered.status).toBe(401);
});

test('a request whose client disconnects is no longer counted', async () => {
  const slow = await occupy(20);
  for (const request of slow) request.cut();
  await until('the count is back', () => api.gauge('requests_in_flight') === 0);
});

test('requests that were answered, refused or not found are no longer counted', async () => {
  for (const path of ['/', '/livez', '/api/me', '/nowhere', '/api/nowhere']) await (await fetch(api.url + path)).text();
  const slow = await occupy(REQUESTS_IN_FLIGHT_MAX);
  for (let n = 0; n < 5; n++) expect((await fetch(`${api.url}/nowhere`)).status).toBe(503);
  for (const request of slow) request.cut();
  await until('the count is back', () => api.gauge('requests_in_flight') === 0);
});

/** Starts `count` sign-ins whose bodies never arrive. */
async function occupy(count: number) {
  await until('nothing is in flight', () => api.gauge('requests_in_flight') === 0);
  const slow = Array.from({ length: count }, () => {
    const request = slowRequest(api.url, 'POST', '/api/sessions', {
      'content-type': 'application/json',
      'content-length': '100',
    });
    request.flush();
    return request;
  });
  await until(`${count} requests are in flight`, () => api.gauge('requests_in_flight') === count);
  return slow;
}
