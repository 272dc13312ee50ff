import { randomBytes } from 'node:crypto';
import { generateSync } from 'otplib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CODE_TRIES_MAX } from '../../../src/modules/accounts/limits.ts';
import { type Answer, type ApiClient, call, createClient } from '../../api-client.ts';
import { registerOrganisation } from '../../registration.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { tokenOf } from './members.ts';

const PASSWORD = 'three quiet words';
const NEW = 'four rather louder words';

interface Account extends ApiClient {
  readonly email: string;
  readonly secret: string;
  /** The cookie of the browser that has registered. */
  readonly device: string;
}

let api: RunningApi;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] }); // moved on for each code
  api = await runApi({ TRUST_PROXY_HOPS: '1' });
});
afterAll(async () => {
  vi.useRealTimers();
  await api.stop();
});

test('a right code gives back its own try, and no other: neither many sign-ins nor a guess in between change what is left', async () => {
  const account = await register();
  const guess = async () => (await secondStep(await ticketOf(account), 'aaaaaa')).status;
  const enter = async () => (await secondStep(await ticketOf(account), nextCode(account))).status;
  for (let n = 0; n <= CODE_TRIES_MAX; n++) expect(await enter()).toBe(201);
  for (let n = 0; n < CODE_TRIES_MAX; n++) {
    expect(await guess()).toBe(403);
    if (n < CODE_TRIES_MAX - 1) expect(await enter()).toBe(201);
  }
  expect(await guess()).toBe(429);
});

test('who has the password cannot lock the owner out of a browser that has been signed in before', async () => {
  const [account, other] = [await register(), await register()];
  await useUp(account);
  expect((await secondStep(await ticketOf(account), nextCode(account), other.device)).status).toBe(429);
  expect((await secondStep(await ticketOf(account), nextCode(account), account.device)).status).toBe(201);
});

test('all browsers that are known have one budget together: to become known again does not begin anew', async () => {
  const account = await register();
  const second = deviceOf(await secondStep(await ticketOf(account), nextCode(account)));
  await useUp(account, account.device);
  expect((await secondStep(await ticketOf(account), nextCode(account), second)).status).toBe(429);
  expect((await reset(account)).status).toBe(204);
  const third = deviceOf(await reset(account));
  expect((await secondStep(await ticketOf(account, NEW), nextCode(account), third)).status).toBe(429);
  expect((await secondStep(await ticketOf(account, NEW), nextCode(account))).status).toBe(201);
});

test('what was tried with an old password does not count after it was reset or changed', async () => {
  for (const renew of [reset, change]) {
    const account = await register();
    await useUp(account);
    expect((await renew(account)).status).toBe(204);
    expect((await secondStep(await ticketOf(account, NEW), nextCode(account))).status).toBe(201);
  }
});

test('codes that are right do not use up the tries of somebody who sets a second factor up and turns it off', async () => {
  const account = await register();
  let { secret } = account;
  // To set one up costs a hash, and counts: once before, and once less than there are tries.
  for (let n = 2; n < CODE_TRIES_MAX; n++) {
    const given = { password: PASSWORD, code: nextCode({ secret }) };
    expect((await account.send('POST', '/api/v1/second-factor/removal', given)).status).toBe(204);
    secret = (await setUp(account)).secret;
  }
});

async function register(): Promise<Account> {
  const email = `${randomBytes(6).toString('hex')}@tries.test`;
  const answer = await registerOrganisation(api, { email, password: PASSWORD }, somewhere());
  const client = createClient(api.url, answer.body.token, answer.body.organisation.id);
  return { ...client, email, device: deviceOf(answer), ...(await setUp(client)) };
}

async function setUp(client: ApiClient): Promise<{ secret: string }> {
  const { secret } = (await client.send<{ secret: string }>('POST', '/api/v1/second-factor', { password: PASSWORD }))
    .body;
  const confirmed = await client.send('POST', '/api/v1/second-factor/confirmation', { code: nextCode({ secret }) });
  expect(confirmed.status).toBe(200);
  return { secret };
}

const somewhere = () => ({ 'x-forwarded-for': `10.${[...randomBytes(3)].join('.')}` });

/** Each step has one code. */
function nextCode({ secret }: { secret: string }): string {
  vi.setSystemTime(Date.now() + 30_000);
  return generateSync({ secret });
}

async function ticketOf({ email }: Account, password = PASSWORD): Promise<string> {
  const body = { email, password };
  const answer = await call<{ ticket: string }>(api.url, 'POST', '/api/v1/sessions', { headers: somewhere(), body });
  expect(answer.status).toBe(202);
  return answer.body.ticket;
}

function secondStep(ticket: string, code: string, device?: string): Promise<Answer<unknown>> {
  const headers = { ...somewhere(), ...(device === undefined ? {} : { cookie: device }) };
  return call(api.url, 'POST', '/api/v1/sessions/second-factor', { headers, body: { ticket, code } });
}

async function useUp(account: Account, device?: string): Promise<void> {
  const ticket = await ticketOf(account);
  for (let n = 0; n < CODE_TRIES_MAX; n++) expect((await secondStep(ticket, 'aaaaaa', device)).status).toBe(403);
  expect((await secondStep(ticket, nextCode(account), device)).status).toBe(429);
}

/** With a link that was mailed. */
async function reset({ orgId }: Account): Promise<Answer<unknown>> {
  const { id: userId } = await api.database.db
    .selectFrom('users')
    .where('org_id', '=', orgId)
    .select('id')
    .executeTakeFirstOrThrow();
  const expires_at = new Date(Date.now() + 60_000);
  const { id } = await api.database.db
    .insertInto('password_resets')
    .values({ org_id: orgId, user_id: userId, expires_at })
    .returning('id')
    .executeTakeFirstOrThrow();
  const body = { token: tokenOf(api, 'password-reset', { orgId, id }), password: NEW };
  return call(api.url, 'POST', '/api/v1/password-resets/confirmations', { headers: somewhere(), body });
}

function change(account: Account): Promise<Answer<unknown>> {
  return account.send('PUT', '/api/v1/password', { current: PASSWORD, password: NEW });
}

function deviceOf(answer: Answer<unknown>): string {
  return /tardigrade_device=[^;]+/.exec(answer.headers.getSetCookie().join('\n'))?.[0] ?? '';
}
