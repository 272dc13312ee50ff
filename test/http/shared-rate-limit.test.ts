import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { createRedis, type Redis as RedisServer } from '../../scripts/embedded/redis.ts';
import { PASSWORD_HASH_WAIT_MS, REDIS_COMMAND_MS, SIGN_INS_PER_MINUTE_MAX } from '../../src/limits.ts';
import { start } from '../../workers/api.ts';
import { call } from '../api-client.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { command } from '../two-redis-servers.ts';
import { startWorker, type TestWorker, testEnvironment } from '../worker.ts';

const PER_MINUTE = 100;

const folder = mkdtempSync(join(tmpdir(), 'tardigrade-limits-'));
let redis: RedisServer;
let api: RunningApi;
let second: TestWorker;
let urls: readonly string[];

beforeAll(async () => {
  redis = await createRedis({ folder, port: await freePort(), password: 'limits', durable: false });
  const environment = { REDIS_URL: redis.url, TRUST_PROXY_HOPS: '1', REQUESTS_PER_MINUTE: String(PER_MINUTE) };
  api = await runApi(environment);
  second = await startWorker('api', start, { ...(await testEnvironment(api.database)), ...environment });
  urls = [api.url, second.config.apiUrl];
});
afterAll(async () => {
  await second.stop();
  await api.stop();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await command(redis, 'flushall');
});

/** Through one process and the other in turn. */
async function inTurn<T>(times: number, ask: (url: string, nth: number) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let nth = 0; nth < times; nth++) answers.push(await ask(urls[nth % 2] as string, nth));
  return answers;
}

const guess = (url: string, from: string, email = 'nobody@limits.test') =>
  call(url, 'POST', '/api/v1/sessions', {
    headers: { 'x-forwarded-for': from },
    body: { email, password: 'a wrong password' },
  });

const statusesOf = (answers: readonly { status: number }[]) => answers.map(({ status }) => status);

/** Exact while Redis answers in time, which a busy machine may not let it. */
const EXACT = { retry: 2 };

test('two processes let a network guess as often as one, whichever of its addresses it uses', EXACT, async () => {
  const network = `2001:db8:5:${randomBytes(2).toString('hex')}`;
  const answers = await inTurn(SIGN_INS_PER_MINUTE_MAX + 4, (url, nth) => guess(url, `${network}::${nth + 1}`));
  expect(statusesOf(answers)).toEqual([...Array(SIGN_INS_PER_MINUTE_MAX).fill(401), 429, 429, 429, 429]);
  const left = answers.map(({ headers }) => /^"sign-ins";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '')?.[1]);
  expect(left.map(Number)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0]);
  expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(30);
});

test('two processes share the limit of a user, of an API key and of an organisation', EXACT, async () => {
  const owner = await api.newOwner();
  const others = [await api.signedIn(owner.orgId, 'viewer'), await api.signedIn(owner.orgId, 'viewer')];
  const created = await owner.send<{ key: string }>('POST', '/api/v1/api-keys', { name: 'Script', scope: 'read' });
  expect(created.status).toBe(201);
  const refusedAfter = async (token: string): Promise<{ served: number; says: string }> => {
    const headers = { authorization: `Bearer ${token}` };
    const ask = (url: string) => call<{ detail: string }>(url, 'GET', '/api/v1/me', { headers });
    const answers = await inTurn(PER_MINUTE + 10, ask);
    const served = answers.findIndex(({ status }) => status === 429);
    return { served, says: answers[served]?.body.detail ?? '' };
  };
  const key = await refusedAfter(created.body.key);
  expect(key).toMatchObject({ served: PER_MINUTE, says: expect.stringMatching(/^Too many requests\. /) });
  expect((await refusedAfter(others[0]?.token ?? '')).served).toBe(PER_MINUTE);
  // The third hundred of the organisation's three. Its owner has used one, and each process may hold a part of a batch.
  const last = await refusedAfter(others[1]?.token ?? '');
  expect(last.served).toBeGreaterThan(PER_MINUTE - 10);
  expect(last.served).toBeLessThan(PER_MINUTE);
  expect(last.says).toContain('Too many requests of the organisation.');
  expect((await (await api.newOwner()).get('/api/v1/me')).status).toBe(200);
});

describe.each([
  ['frozen', async (): Promise<void> => void process.kill(redis.pid, 'SIGSTOP')],
  ['stopped', (): Promise<void> => redis.stop()],
] as const)('while Redis is %s', (state, take) => {
  test('people sign in, and answers are as quick as ever', async () => {
    const registered = await call(api.url, 'POST', '/api/v1/registrations', {
      headers: { 'x-forwarded-for': '10.1.0.1' },
      body: { organisation: 'A', name: 'A', email: `${state}@limits.test`, password: 'a long enough password' },
    });
    expect(registered.status).toBe(201);
    const owner = await api.newOwner();
    await take();
    const headers = { authorization: `Bearer ${owner.token}` };
    const asked = await inTurn(20, async (url) => {
      const begunAt = performance.now();
      const answer = await call<object>(url, 'GET', '/api/v1/me', { headers });
      return { status: answer.status, ms: performance.now() - begunAt };
    });
    expect(statusesOf(asked)).toEqual(Array(20).fill(200));
    // A request that waited for Redis would take as long as its client does.
    expect(Math.max(...asked.map(({ ms }) => ms))).toBeLessThan(REDIS_COMMAND_MS / 2);

    const begun = performance.now();
    const signedIn = await call(api.url, 'POST', '/api/v1/sessions', {
      headers: { 'x-forwarded-for': '10.2.0.1' },
      body: { email: `${state}@limits.test`, password: 'a long enough password' },
    });
    expect(signedIn.status).toBe(201);
    expect(performance.now() - begun).toBeLessThan(PASSWORD_HASH_WAIT_MS / 2);
    expect(api.gauge('rate_limits_alone')).toBe(1);

    // Each process still limits by itself.
    const answers = await inTurn(2 * SIGN_INS_PER_MINUTE_MAX + 2, (url) =>
      guess(url, '10.3.0.1', `nobody-${state}@limits.test`),
    );
    expect(statusesOf(answers)).toEqual([...Array(2 * SIGN_INS_PER_MINUTE_MAX).fill(401), 429, 429]);
    if (state === 'frozen') process.kill(redis.pid, 'SIGCONT');
  });
});
