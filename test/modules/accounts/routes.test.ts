import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD_CHARS, RETRY_AFTER_JITTER_SECONDS, SIGN_INS_PER_MINUTE_MAX } from '../../../src/limits.ts';
import { type Answer, call } from '../../api-client.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

interface Welcome {
  readonly token: string;
  readonly user: { id: number; name: string; email: string; role: string };
  readonly organisation: { id: number; name: string };
}
type Refused = { detail: string; code: string };

const PASSWORD = 'a long enough password';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi({ TRUST_PROXY_HOPS: '1' });
});
afterAll(() => api.stop());

test('a registration creates an organisation and its owner, and signs the owner in', async () => {
  const { status, body } = await register({ organisation: ' Acme ', name: 'Olga', email: 'Olga@Acme.test' });
  expect(status).toBe(201);
  expect(body.user).toEqual({ id: expect.any(Number), name: 'Olga', email: 'olga@acme.test', role: 'owner' });
  expect(body.organisation).toEqual({ id: expect.any(Number), name: 'Acme' });
  const me = await call(api.url, 'GET', '/api/v1/me', { headers: { authorization: `Bearer ${body.token}` } });
  expect(me.body).toEqual({ user: body.user, emailVerified: false, organisation: body.organisation, operator: false });
});

test('an address has one account, in capitals or not, and a refused registration leaves nothing behind', async () => {
  await register({ email: 'one@twice.test' });
  const before = await count();
  const again = await register<Refused>({ email: 'ONE@twice.test' });
  expect(again).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect(again.body.detail).toContain('Sign in instead');
  expect(await count()).toEqual(before);
});

test('of two registrations at once with one address, one wins', async () => {
  const answers = await Promise.all([1, 2, 3].map(() => register({ email: 'race@twice.test' })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
});

test.each([
  ['a short password', { password: 'x'.repeat(PASSWORD_CHARS.min - 1) }],
  ['an endless password', { password: 'x'.repeat(PASSWORD_CHARS.max + 1) }],
  ['a text that is not an address', { email: 'nobody' }],
  ['an address with a line break', { email: 'a@b.test\r\nBcc: c@d.test' }],
  ['a name of spaces', { name: '   ' }],
])('%s is refused before anything is written', async (_what, wrong) => {
  const before = await count();
  expect((await register(wrong)).status).toBe(400);
  expect(await count()).toEqual(before);
});

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

test('registrations from one address are limited per minute', async () => {
  const from = { 'x-forwarded-for': '198.51.100.8' };
  const answers: number[] = [];
  for (let n = 0; n <= SIGN_INS_PER_MINUTE_MAX; n++)
    answers.push((await register({ email: 'one@twice.test' }, from)).status);
  expect(answers.slice(0, SIGN_INS_PER_MINUTE_MAX)).toEqual(Array(SIGN_INS_PER_MINUTE_MAX).fill(409));
  expect(answers.at(-1)).toBe(429);
});

/** From an address of its own each time, unless told otherwise: registrations are limited per address. */
function register<T = Welcome>(
  given: Partial<Record<string, string>>,
  headers = { 'x-forwarded-for': randomAddress() },
) {
  const email = `${randomBytes(6).toString('hex')}@example.test`;
  const body = { organisation: 'Acme', name: 'Olga', email, password: PASSWORD, ...given };
  return call<T>(api.url, 'POST', '/api/v1/registrations', { headers, body });
}

function signIn<T = Welcome>(email: string, password: string, from = '198.51.100.1'): Promise<Answer<T>> {
  return call<T>(api.url, 'POST', '/api/v1/sessions', {
    headers: { 'x-forwarded-for': from },
    body: { email, password },
  });
}

async function count() {
  const { db } = api.database;
  const of = (table: 'organisations' | 'users') =>
    db
      .selectFrom(table)
      .select((q) => q.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
  return [await of('organisations'), await of('users')];
}

function randomAddress(): string {
  return `10.${[...randomBytes(3)].join('.')}`;
}
