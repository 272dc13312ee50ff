import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { SIGN_INS_PER_MINUTE_MAX } from '../../src/limits.ts';
import { call } from '../api-client.ts';
import { guess, startTwoApis, statusesOf, type TwoApis } from './two-apis.ts';

// Exact while Redis answers in time: on a busy machine that may be later than a request would wait.
vi.mock('../../src/limits.ts', async (original) => {
  const limits = await original<typeof import('../../src/limits.ts')>();
  return { ...limits, SHARED_COUNT_MS: 10_000 };
});

const PER_MINUTE = 100;

let apis: TwoApis;
beforeAll(async () => {
  apis = await startTwoApis({ REQUESTS_PER_MINUTE: String(PER_MINUTE) });
});
afterAll(() => apis.stop());
beforeEach(() => apis.forgetCounts());

test('two processes let a network guess as often as one, whichever of its addresses it uses', async () => {
  const network = `2001:db8:5:${randomBytes(2).toString('hex')}`;
  const answers = await apis.inTurn(SIGN_INS_PER_MINUTE_MAX + 4, (url, nth) => guess(url, `${network}::${nth + 1}`));
  expect(statusesOf(answers)).toEqual([...Array(SIGN_INS_PER_MINUTE_MAX).fill(401), 429, 429, 429, 429]);
  const left = answers.map(({ headers }) => /^"sign-ins";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '')?.[1]);
  expect(left.map(Number)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0]);
  expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('two processes share the limit of a user, of an API key and of an organisation', async () => {
  const owner = await apis.api.newOwner();
  const others = [await apis.api.signedIn(owner.orgId, 'viewer'), await apis.api.signedIn(owner.orgId, 'viewer')];
  const created = await owner.send<{ key: string }>('POST', '/api/v1/api-keys', { name: 'Script', scope: 'read' });
  expect(created.status).toBe(201);
  const refusedAfter = async (token: string): Promise<{ served: number; says: string }> => {
    const headers = { authorization: `Bearer ${token}` };
    const ask = (url: string) => call<{ detail: string }>(url, 'GET', '/api/v1/me', { headers });
    // Several at once, so that all of it is over before the minute is, on a busy machine as well.
    const answers = await apis.inTurn(PER_MINUTE + 10, ask, 10);
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(answers.length - refused.length);
    return { served: answers.length - refused.length, says: refused[0]?.body.detail ?? '' };
  };
  const key = await refusedAfter(created.body.key);
  expect(key).toMatchObject({ served: PER_MINUTE, says: expect.stringMatching(/^Too many requests\. /) });
  expect((await refusedAfter(others[0]?.token ?? '')).served).toBe(PER_MINUTE);
  // The third hundred of the organisation's three. Its owner has used one, and each process may hold a part of a batch.
  const last = await refusedAfter(others[1]?.token ?? '');
  expect(last.served).toBeGreaterThan(PER_MINUTE - 10);
  expect(last.served).toBeLessThan(PER_MINUTE);
  expect(last.says).toContain('Too many requests of the organisation.');
  expect((await (await apis.api.newOwner()).get('/api/v1/me')).status).toBe(200);
});
