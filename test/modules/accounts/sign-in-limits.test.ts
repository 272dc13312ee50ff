import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRateLimits } from '../../../src/http/rate-limit.ts';
import {
  FAILED_SIGN_INS_PER_ACCOUNT_MAX,
  FAILED_SIGN_INS_PER_NETWORK_MAX,
  PASSWORD_HASH_WAIT_MS,
  PASSWORD_HASHES_WAITING_MAX,
  SIGN_INS_PER_MINUTE_MAX,
} from '../../../src/limits.ts';
import { createSignInLimits, type SignInLimits } from '../../../src/modules/accounts/sign-in-limits.ts';
import { type Answer, call } from '../../api-client.ts';
import { registerOrganisation } from '../../registration.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { SECRET_KEY } from '../../worker.ts';

type Refused = { detail: string; code: string };

const PASSWORD = 'a long enough password';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi({ TRUST_PROXY_HOPS: '1' });
});
afterAll(() => api.stop());

test('all addresses of an IPv6 network guess with one budget', async () => {
  const { email } = await register();
  const statuses: number[] = [];
  for (let n = 1; n <= SIGN_INS_PER_MINUTE_MAX + 2; n++)
    statuses.push((await signIn(email, 'wrong', `2001:db8:1:2::${n}`)).status);
  expect(statuses).toEqual([...Array(SIGN_INS_PER_MINUTE_MAX).fill(401), 429, 429]);
  expect((await signIn(email, PASSWORD, '2001:db8:1:3::1')).status).toBe(201);
});

test('an IPv4 address has one budget, however it is written', async () => {
  const { email } = await register();
  for (let n = 0; n < SIGN_INS_PER_MINUTE_MAX; n++)
    await signIn(email, 'wrong', n % 2 === 0 ? '192.0.2.1' : '::ffff:192.0.2.1');
  expect((await signIn(email, PASSWORD, '::FFFF:C000:0201')).status).toBe(429);
});

test('an account is not guessed from any number of addresses, and its owner still signs in where they did before', async () => {
  const { email, device } = await register();
  const other = await register();
  for (let n = 0; n < FAILED_SIGN_INS_PER_ACCOUNT_MAX; n++)
    expect((await signIn(email, `guess ${n}`, `10.7.${n}.1`)).status).toBe(401);
  const stopped = await signIn<Refused>(email.toUpperCase(), PASSWORD, '10.8.0.1');
  expect(stopped).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  expect(stopped.body.detail).toMatch(/account.*minutes/);

  expect((await signIn(email, PASSWORD, '10.8.0.2', other.device)).status).toBe(429);
  expect((await signIn(email, PASSWORD, '10.8.0.2', `${device}x`)).status).toBe(429);
  expect((await signIn(email, PASSWORD, '10.8.0.2', device)).status).toBe(201);
  expect((await signIn(other.email, PASSWORD, '10.8.0.2')).status).toBe(201);
});

test('an account is guessed no more often with other spellings of its address', async () => {
  const { email } = await register();
  const [local, domain] = email.split('@') as [string, string];
  // Full-width letters: in a domain they mean the plain ones (UTS 46).
  const spelled = (n: number) =>
    `${local}@${domain.replace(/[a-z]/g, (letter, at) => (n & (1 << at) ? wide(letter) : letter))}`;
  expect((await signIn(spelled(1), PASSWORD, '10.11.0.1')).status).toBe(201);
  for (let n = 0; n < FAILED_SIGN_INS_PER_ACCOUNT_MAX; n++)
    expect((await signIn(spelled(n), `guess ${n}`, `10.12.${n}.1`)).status).toBe(401);
  expect((await signIn(spelled(FAILED_SIGN_INS_PER_ACCOUNT_MAX), PASSWORD, '10.13.0.1')).status).toBe(429);
});

const wide = (letter: string) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0);

test('an address without an account is limited in the same words, so that nobody learns which have one', async () => {
  const email = 'nobody-here@example.test';
  for (let n = 0; n < FAILED_SIGN_INS_PER_ACCOUNT_MAX; n++) await signIn(email, 'guess', `10.9.${n}.1`);
  const stopped = await signIn<Refused>(email, PASSWORD, '10.10.0.1');
  expect(stopped.status).toBe(429);
  expect(stopped.body.detail).toMatch(/account.*minutes/);
});

test('a device that has signed in before has a budget of its own, and no more than that', async () => {
  const { email, device } = await register();
  for (let n = 0; n < SIGN_INS_PER_MINUTE_MAX; n++)
    expect((await signIn(email, 'wrong', `10.11.${n}.1`, device)).status).toBe(401);
  expect((await signIn(email, PASSWORD, '10.11.99.1', device)).status).toBe(429);
  expect((await signIn(email, PASSWORD, '10.11.99.1')).status).toBe(201);
});

test('a device remembers several accounts, and the cookie names none of them', async () => {
  const [one, two] = [await register(), await register()];
  const both = deviceOf(await signIn(two.email, PASSWORD, '10.12.0.1', one.device));
  expect(decodeURIComponent(both)).not.toContain('@');
  const limits = createSignInLimits(SECRET_KEY, createRateLimits());
  expect([one, two].map(({ email }) => isKnown(limits, both, email))).toEqual([true, true]);
  expect(isKnown(limits, both, 'third@example.test')).toBe(false);
});

test('a browser in which somebody else comes in, in another way than by a password, stays known for the others', async () => {
  const cookieLine = (answer: Answer<unknown>) =>
    answer.headers.getSetCookie().find((line) => line.startsWith('tardigrade_device=')) as string;
  const one = `${randomBytes(6).toString('hex')}@example.test`;
  const two = `${randomBytes(6).toString('hex')}@example.test`;
  const kept = cookieLine(await registration(one));
  const path = /Path=([^;]+)/.exec(kept)?.[1] as string;
  for (const other of [
    '/registrations/confirmations',
    '/memberships',
    '/password-resets/confirmations',
    '/sessions/second-factor',
  ])
    expect(`/api/v1${other}`.startsWith(path), other).toBe(true);
  expect('/oidc/callback'.startsWith(path)).toBe(true);
  const [cookie = ''] = kept.split(';');
  const device = /=([^;]+)/.exec(cookieLine(await registration(two, { cookie })))?.[1];
  const limits = createSignInLimits(SECRET_KEY, createRateLimits());
  expect([one, two].map((email) => isKnown(limits, device, email))).toEqual([true, true]);
});

test('one network that tries many accounts is stopped, and a sign-in that succeeds does not count', async () => {
  const limits = createSignInLimits(SECRET_KEY, createRateLimits());
  const from = (n: number) => ({ network: '192.0.2.9', device: undefined, email: `person-${n}@example.test` });
  for (let n = 0; n < 3 * FAILED_SIGN_INS_PER_NETWORK_MAX; n++) (await limits.begin(from(n))).succeeded();
  for (let n = 0; n < FAILED_SIGN_INS_PER_NETWORK_MAX; n++) await limits.begin(from(n));
  await expect(limits.begin(from(-1))).rejects.toThrow('Too many failed sign-ins from this network');
  await limits.begin({ ...from(-1), network: '192.0.2.10' });
});

test('an attempt that was not judged, because the server was busy, does not count', async () => {
  const limits = createSignInLimits(SECRET_KEY, createRateLimits());
  const from = { network: '192.0.2.9', device: undefined, email: 'ada@example.test' };
  for (let n = 0; n < 2 * FAILED_SIGN_INS_PER_ACCOUNT_MAX; n++) (await limits.begin(from)).notJudged();
  await limits.begin(from);
});

test('a sign-in behind a full queue is refused before it is counted and before an account is looked up', async () => {
  const storm = Array.from({ length: 2 * PASSWORD_HASHES_WAITING_MAX + 20 }, async (_, n) => {
    const sentAt = performance.now();
    const { status, headers } = await signIn(`storm-${n}@example.test`, PASSWORD, `10.14.${n}.1`);
    const hadPlace = status !== 503 || performance.now() - sentAt > PASSWORD_HASH_WAIT_MS;
    return { hadPlace, counted: headers.get('ratelimit') };
  });
  const answers = await Promise.all(storm);
  const refused = answers.filter(({ hadPlace }) => !hadPlace);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.map(({ counted }) => counted)).toEqual(refused.map(() => null));
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(PASSWORD_HASHES_WAITING_MAX);
});

test('registrations of an IPv6 network are limited together', async () => {
  const statuses: number[] = [];
  for (let n = 0; n <= SIGN_INS_PER_MINUTE_MAX; n++) {
    const body = { email: `person-${n}@example.test` };
    const headers = { 'x-forwarded-for': `2001:db8:9:9::${n + 1}` };
    statuses.push((await call(api.url, 'POST', '/api/v1/registrations', { headers, body })).status);
  }
  expect(statuses).toEqual([...Array(SIGN_INS_PER_MINUTE_MAX).fill(202), 429]);
});

test('limited routes say how much is left, in the form of the IETF draft', async () => {
  const { email, token } = await register();
  const first = await signIn(email, 'wrong', '10.13.0.1');
  expect(first.headers.get('ratelimit-policy')).toBe(`"sign-ins";q=${SIGN_INS_PER_MINUTE_MAX};w=60`);
  expect(first.headers.get('ratelimit')).toMatch(new RegExp(`^"sign-ins";r=${SIGN_INS_PER_MINUTE_MAX - 1};t=(60|59)$`));
  const me = await call(api.url, 'GET', '/api/v1/me', { headers: { authorization: `Bearer ${token}` } });
  expect(me.headers.get('ratelimit-policy')).toBe(
    '"requests";q=6000;w=60, "requests of the organisation";q=18000;w=60',
  );
  expect(me.headers.get('ratelimit')).toMatch(
    /^"requests";r=5999;t=\d+, "requests of the organisation";r=17999;t=\d+$/,
  );
});

function isKnown(limits: SignInLimits, device: string | undefined, email: string): boolean {
  return limits.origin({ network: '192.0.2.1', device, email }).isKnownDevice;
}

let registered = 0;
async function register() {
  const email = `${randomBytes(6).toString('hex')}@example.test`;
  const answer = await registration(email);
  return { email, token: answer.body.token, device: deviceOf(answer) };
}

async function registration(email: string, headers = {}): Promise<Answer<{ token: string }>> {
  const network = { 'x-forwarded-for': `10.6.${registered++}.1` };
  const answer = await registerOrganisation(api, { email, password: PASSWORD }, { ...network, ...headers });
  expect(answer.status).toBe(201);
  return answer;
}

function deviceOf(answer: Answer<unknown>): string {
  const cookie = answer.headers.getSetCookie().find((line) => line.startsWith('tardigrade_device='));
  expect(cookie).toMatch(/HttpOnly/);
  return /=([^;]+)/.exec(cookie ?? '')?.[1] ?? '';
}

function signIn<T = unknown>(email: string, password: string, from: string, device?: string): Promise<Answer<T>> {
  const headers = {
    'x-forwarded-for': from,
    ...(device === undefined ? {} : { cookie: `tardigrade_device=${device}` }),
  };
  return call<T>(api.url, 'POST', '/api/v1/sessions', { headers, body: { email, password } });
}
