import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RETRY_AFTER_JITTER_SECONDS, SIGN_INS_PER_MINUTE_MAX } from '../../../src/limits.ts';
import { type Answer, call } from '../../api-client.ts';
import { registerOrganisation, type Welcome } from '../../registration.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

type Refused = { detail: string; code: string };

const PASSWORD = 'a long enough password';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi({ TRUST_PROXY_HOPS: '1' });
});
afterAll(() => api.stop());

test('the right password signs in, and the address may be in capitals', async () => {
  await register({ email: 'ada@signin.test', name: 'Ada' });
  const { status, body } = await signIn('ADA@signin.test', PASSWORD);
  expect(status).toBe(201);
  expect(body.user).toMatchObject({ name: 'Ada', email: 'ada@signin.test', role: 'owner' });
  const me = await call(api.url, 'GET', '/api/v1/me', { headers: { authorization: `Bearer ${body.token}` } });
  expect(me.status).toBe(200);
});

test('a wrong password and an unknown address get exactly the same answer', async () => {
  await register({ email: 'ben@signin.test' });
  const wrong = await signIn<Refused>('ben@signin.test', 'not the password');
  const unknown = await signIn<Refused>('nobody@signin.test', 'not the password');
  expect(wrong.status).toBe(401);
  expect(wrong.body.detail).toBe('The address or the password is wrong.');
  expect(unknown.status).toBe(401);
  expect(unknown.body).toEqual(wrong.body);
  expect(unknown.headers.getSetCookie()).toEqual([]);
});

test('guessing is stopped, even with the right password; from another address the owner still signs in', async () => {
  await register({ email: 'target@signin.test' });
  for (let n = 0; n < SIGN_INS_PER_MINUTE_MAX; n++)
    expect((await signIn('target@signin.test', `guess ${n}`)).status).toBe(401);
  const stopped = await signIn<Refused>('Target@signin.test', PASSWORD);
  expect(stopped).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Number(stopped.headers.get('retry-after'))).toBeLessThanOrEqual(60 + RETRY_AFTER_JITTER_SECONDS);
  expect((await signIn('target@signin.test', PASSWORD, '198.51.100.7')).status).toBe(201);
});

test('a successful sign-in resets the count of attempts', async () => {
  await register({ email: 'busy@signin.test' });
  for (let n = 0; n < SIGN_INS_PER_MINUTE_MAX + 2; n++)
    expect((await signIn('busy@signin.test', PASSWORD)).status).toBe(201);
});

/** From an address of its own each time: registrations are limited per address. */
function register(given: { email: string; name?: string }) {
  return registerOrganisation(api, { password: PASSWORD, ...given }, { 'x-forwarded-for': randomAddress() });
}

function signIn<T = Welcome>(email: string, password: string, from = '198.51.100.1'): Promise<Answer<T>> {
  return call<T>(api.url, 'POST', '/api/v1/sessions', {
    headers: { 'x-forwarded-for': from },
    body: { email, password },
  });
}

function randomAddress(): string {
  return `10.${[...randomBytes(3)].join('.')}`;
}
