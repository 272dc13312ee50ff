import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { REDIS_COMMAND_MS, SIGN_INS_PER_MINUTE_MAX } from '../../src/limits.ts';
import { LINKS_PER_ADDRESS_MAX } from '../../src/modules/accounts/limits.ts';
import { call } from '../api-client.ts';
import { registerOrganisation } from '../registration.ts';
import { guess, startTwoApis, statusesOf, type TwoApis } from './two-apis.ts';

// Whatever waits for Redis takes much longer than a busy machine takes for anything.
vi.mock('../../src/limits.ts', async (original) => {
  const limits = await original<typeof import('../../src/limits.ts')>();
  return { ...limits, REDIS_COMMAND_MS: 20_000 };
});

let apis: TwoApis;
beforeAll(async () => {
  apis = await startTwoApis();
});
afterAll(() => apis.stop());
beforeEach(() => apis.forgetCounts());

describe.each([
  ['frozen', async (): Promise<void> => void process.kill(apis.redis.pid, 'SIGSTOP')],
  ['stopped', (): Promise<void> => apis.redis.stop()],
] as const)('while Redis is %s', (state, take) => {
  test('people sign in, and answers are as quick as ever', async () => {
    const known = { email: `${state}@limits.test`, password: 'a long enough password' };
    expect((await registerOrganisation(apis.api, known, { 'x-forwarded-for': '10.1.0.1' })).status).toBe(201);
    const owner = await apis.api.newOwner();
    await take();
    const headers = { authorization: `Bearer ${owner.token}` };
    const answered = await apis.inTurn(20, async (url) => {
      const begunAt = performance.now();
      const answer = await call<object>(url, 'GET', '/api/v1/me', { headers });
      return { status: answer.status, ms: performance.now() - begunAt };
    });
    expect(statusesOf(answered)).toEqual(Array(20).fill(200));
    // A request that waited for Redis would take as long as its client does.
    expect(Math.max(...answered.map(({ ms }) => ms))).toBeLessThan(REDIS_COMMAND_MS / 2);

    const begun = performance.now();
    const signedIn = await call(apis.api.url, 'POST', '/api/v1/sessions', {
      headers: { 'x-forwarded-for': '10.2.0.1' },
      body: known,
    });
    expect(signedIn.status).toBe(201);
    expect(performance.now() - begun).toBeLessThan(REDIS_COMMAND_MS / 2);
    expect(apis.api.gauge('rate_limits_alone')).toBe(1);

    // Each process still limits by itself.
    const answers = await apis.inTurn(2 * SIGN_INS_PER_MINUTE_MAX + 2, (url) =>
      guess(url, '10.3.0.1', `nobody-${state}@limits.test`),
    );
    expect(statusesOf(answers)).toEqual([...Array(2 * SIGN_INS_PER_MINUTE_MAX).fill(401), 429, 429]);

    // And nobody's mailbox is flooded: each sends few mails to one address, whichever network asks.
    const asked = (url: string, nth: number) =>
      call(url, 'POST', '/api/v1/registrations', {
        headers: { 'x-forwarded-for': `10.4.${nth}.1` },
        body: { email: `flooded-${state}@limits.test` },
      });
    expect(statusesOf(await apis.inTurn(2 * LINKS_PER_ADDRESS_MAX + 2, asked))).toEqual([
      ...Array(2 * LINKS_PER_ADDRESS_MAX).fill(202),
      ...[429, 429],
    ]);
    if (state === 'frozen') process.kill(apis.redis.pid, 'SIGCONT');
  });
});
