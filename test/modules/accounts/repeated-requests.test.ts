import { randomBytes, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { guardCaller } from '../../../src/db/idempotency-key.ts';
import { createCaller } from '../../../src/db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { REPEATABLE_REQUESTS_OF_STRANGERS_PER_MINUTE_MAX } from '../../../src/limits.ts';
import { call } from '../../api-client.ts';
import { OWNER, registerOrganisation, registrationToken } from '../../registration.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { addPerson, tokenOf } from './members.ts';

/** What people who are not signed in send with an Idempotency-Key. Other POSTs: test/http/idempotency.test.ts. */

vi.mock('../../../src/limits.ts', async (original) => ({
  ...(await original<typeof import('../../../src/limits.ts')>()),
  REPEATABLE_REQUESTS_OF_STRANGERS_PER_MINUTE_MAX: 12,
  // Eight hashes at once take longer than anybody may wait when the machine is busy.
  PASSWORD_HASH_WAIT_MS: 250_000,
  REQUEST_MS: 250_000,
}));

const PASSWORD = 'three quiet words';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi({ TRUST_PROXY_HOPS: '1' });
});
afterAll(() => api.stop());

const somewhere = () => ({ 'x-forwarded-for': `10.${[...randomBytes(3)].join('.')}` });

/** A request, which is sent with the same key each time. */
function repeatable(path: string, body: object, key: string = randomUUID(), from = somewhere()) {
  return () =>
    call<{ token: string; code: string }>(api.url, 'POST', path, {
      headers: { ...from, 'idempotency-key': key },
      body,
    });
}

async function registration(email = `${randomBytes(6).toString('hex')}@repeated.test`) {
  await call(api.url, 'POST', '/api/v1/registrations', { headers: somewhere(), body: { email } });
  return { ...OWNER, token: await registrationToken(api, email) };
}

async function registered() {
  const email = `${randomBytes(6).toString('hex')}@repeated.test`;
  await registerOrganisation(api, { email, password: PASSWORD }, somewhere());
  return { email, password: PASSWORD };
}

async function invitation() {
  const owner = await addPerson(api, 'owner');
  const email = `nia@org-${owner.orgId}.test`;
  const { body } = await owner.send<{ id: number }>('POST', '/api/v1/invitations', { email, role: 'viewer' });
  return { token: tokenOf(api, 'invitation', { orgId: owner.orgId, id: body.id }), name: 'Nia', password: PASSWORD };
}

async function count(): Promise<Record<string, number>> {
  const { rows } = await sql<Record<string, number>>`
    select (select count(*)::int from organisations) as organisations, (select count(*)::int from users) as users,
      (select count(*)::int from sessions) as sessions, (select count(*)::int from audit_log) as audited`.execute(
    api.database.db,
  );
  return rows[0] as Record<string, number>;
}

test.each([
  ['a registration', async () => repeatable('/api/v1/registrations/confirmations', await registration())],
  ['an invitation that is accepted', async () => repeatable('/api/v1/memberships', await invitation())],
])('%s whose answer was lost is not done again, and gets the first answer and its cookies', async (_what, prepare) => {
  const send = await prepare();
  const first = await send();
  const before = await count();
  const again = await send();
  expect(first.status).toBe(201);
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  expect(again).toMatchObject({ status: 201, body: first.body });
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  const cookies = first.headers.getSetCookie().filter((cookie) => !cookie.includes('read_after'));
  expect(cookies.length).toBeGreaterThan(0);
  expect(again.headers.getSetCookie()).toEqual(expect.arrayContaining(cookies));
  expect(await count()).toEqual(before);
});

test('of many registrations with one link that are sent at once, one is done', async () => {
  const send = repeatable('/api/v1/registrations/confirmations', await registration());
  const before = await count();
  const answers = await Promise.all(Array.from({ length: 8 }, send));
  for (const { status } of answers) expect([201, 409]).toContain(status);
  expect(new Set(answers.flatMap(({ status, body }) => (status === 201 ? [body.token] : []))).size).toBe(1);
  expect((await count())['organisations']).toBe((before['organisations'] ?? 0) + 1);
});

test('a key belongs to the request as it was sent: whoever sends another one hears nothing of the first', async () => {
  const given = await registration();
  const key = '1';
  expect((await repeatable('/api/v1/registrations/confirmations', given, key)()).status).toBe(201);
  const { status, headers } = await repeatable(
    '/api/v1/registrations/confirmations',
    { ...given, password: PASSWORD },
    key,
  )();
  expect([status, headers.get('idempotent-replayed')]).toEqual([410, null]);
});

test('a refusal is not kept', async () => {
  const given = await registration();
  const send = repeatable('/api/v1/registrations/confirmations', { ...given, password: 'password123' });
  for (const { status, headers } of [await send(), await send()])
    expect([status, headers.get('idempotent-replayed')]).toEqual([400, null]);
});

test('a repeated sign-in gets the first session, once it has been judged again', async () => {
  const account = await registered();
  const send = repeatable('/api/v1/sessions', account);
  const first = await send();
  const before = await count();
  const again = await send();
  expect(again).toMatchObject({ status: 201, body: first.body });
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(await count()).toEqual(before);
});

test('no password is tried past the limits by its kept answer', async () => {
  const account = await registered();
  const from = somewhere();
  const send = repeatable('/api/v1/sessions', account, '1', from);
  expect((await send()).status).toBe(201);
  const guess = repeatable('/api/v1/sessions', { ...account, password: 'a wrong password' }, '1', from);
  let refused = 0;
  while ((await guess()).status !== 429) expect(++refused).toBeLessThan(100);
  expect((await send()).status).toBe(429);
});

test('a password that is reset ends the sessions when it is committed, and a repetition gets the first answer', async () => {
  const account = await registered();
  const signedIn = await repeatable('/api/v1/sessions', account)();
  const { rows } = await sql<{ orgId: number; id: number }>`
    insert into password_resets (org_id, user_id, expires_at) select org_id, id, now() + interval '1 hour' from users where email = ${account.email}
    returning org_id as "orgId", id`.execute(api.database.db);
  const token = tokenOf(api, 'password-reset', rows[0] as { orgId: number; id: number });
  const send = repeatable('/api/v1/password-resets/confirmations', { token, password: 'another three words' });
  for (const replayed of [null, 'true']) {
    const { status, headers } = await send();
    expect([status, headers.get('idempotent-replayed')]).toEqual([204, replayed]);
  }
  const headers = { ...somewhere(), authorization: `Bearer ${signedIn.body.token}` };
  expect((await call(api.url, 'GET', '/api/v1/me', { headers })).status).toBe(401);
});

test('a handler whose time is over writes nothing any more', async () => {
  const request = {
    orgId: undefined,
    caller: 'stranger',
    key: randomUUID(),
    secretKey: 's'.repeat(32),
    parameters: [],
  };
  const guarded = guardCaller(createCaller(api.database.database), request);
  await guarded.answered(undefined);
  const work = vi.fn(async () => 'done');
  await expect(guarded.caller.within(EVERY_ORGANISATION).write(work)).rejects.toMatchObject({ code: 'overloaded' });
  expect(work).not.toHaveBeenCalled();
});

test('what is kept shows neither the password nor the session', async () => {
  const { password, ...given } = await registration();
  const { body } = await repeatable('/api/v1/registrations/confirmations', { ...given, password })();
  const { rows } = await sql<{ row: string }>`
    select concat_ws(' ', caller, headers, encode(body, 'escape'), encode(key_hash, 'escape')) as row
    from idempotency_keys`.execute(api.database.db);
  expect(rows.length).toBeGreaterThan(0);
  for (const secret of [password, body.token]) expect(rows.map(({ row }) => row).join(' ')).not.toContain(secret);
});

test('a stranger can look up as many keys as the limit', async () => {
  const send = repeatable('/api/v1/memberships', await invitation());
  for (let n = 0; n < REPEATABLE_REQUESTS_OF_STRANGERS_PER_MINUTE_MAX; n++) expect((await send()).status).toBe(201);
  expect(await send()).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
});
