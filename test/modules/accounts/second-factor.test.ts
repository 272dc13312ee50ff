import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { generateSync } from 'otplib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createSecretBox } from '../../../src/http/secret-box.ts';
import { CODE_TRIES_MAX, LINK_TRIES_PER_MINUTE_MAX, RECOVERY_CODES } from '../../../src/modules/accounts/limits.ts';
import { type ApiClient, call, createClient } from '../../api-client.ts';
import { isWaitingForLock, until, waitingForLock } from '../../database.ts';
import { registerOrganisation } from '../../registration.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { actionsOf } from './members.ts';

const PASSWORD = 'three quiet words';

interface Account extends ApiClient {
  readonly email: string;
}

let api: RunningApi;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] }); // or the next half a minute would begin between a code and its request
  api = await runApi({ TRUST_PROXY_HOPS: '1' });
});
afterAll(async () => {
  vi.useRealTimers();
  await api.stop();
});

const somewhere = () => ({ 'x-forwarded-for': `10.${[...randomBytes(3)].join('.')}` });
const send = <T>(path: string, body: object) => call<T>(api.url, 'POST', path, { headers: somewhere(), body });
const signIn = (email: string, password = PASSWORD) =>
  send<{ ticket: string; token: string }>('/api/v1/sessions', { email, password });
const secondStep = (ticket: string, code: string) =>
  send<{ token: string; detail: string }>('/api/v1/sessions/second-factor', { ticket, code });
/** Of a step before or after this one. */
const codeOf = (secret: string, steps = 0) => generateSync({ secret, epoch: Date.now() / 1000 + steps * 30 });

async function register(): Promise<Account> {
  const email = `${randomBytes(6).toString('hex')}@factor.test`;
  const answer = await registerOrganisation(api, { email, password: PASSWORD }, somewhere());
  return { ...createClient(api.url, answer.body.token, answer.body.organisation.id), email };
}

/** With the code of the step before, so that the one of now is still good. */
async function setUp(account: Account): Promise<{ secret: string; recoveryCodes: string[] }> {
  const begun = await account.send<{ secret: string }>('POST', '/api/v1/second-factor', { password: PASSWORD });
  expect(begun.status).toBe(201);
  const { secret } = begun.body;
  const confirmed = await account.send<{ recoveryCodes: string[] }>('POST', '/api/v1/second-factor/confirmation', {
    code: codeOf(secret, -1),
  });
  expect(confirmed.status, JSON.stringify(confirmed.body)).toBe(200);
  return { secret, recoveryCodes: confirmed.body.recoveryCodes };
}

test('until a code has confirmed it, signing in needs no code', async () => {
  const account = await register();
  expect((await account.send('POST', '/api/v1/second-factor', { password: 'not the password' })).status).toBe(403);
  const begun = await account.send<{ secret: string; uri: string; qrCode: string }>('POST', '/api/v1/second-factor', {
    password: PASSWORD,
  });
  expect(begun.body.uri).toMatch(new RegExp(`^otpauth://totp/${encodeURIComponent('Tardigrade')}:`));
  expect(Buffer.from(begun.body.qrCode.split(',')[1] as string, 'base64').toString()).toContain('<svg');
  expect((await account.send('POST', '/api/v1/second-factor/confirmation', { code: '000000' })).status).toBe(403);
  expect((await account.get('/api/v1/second-factor')).body).toEqual({ since: null, recoveryCodesLeft: 0 });
  expect((await signIn(account.email)).status).toBe(201);
});

test('what was begun with the password of before is not confirmed, also when the change is on its way', async () => {
  const account = await register();
  const begun = await account.send<{ secret: string }>('POST', '/api/v1/second-factor', { password: PASSWORD });
  const { db } = api.database;
  const changed = await db.transaction().execute(async (transaction) => {
    await sql`select from sessions where org_id = ${account.orgId} for update`.execute(transaction);
    const other = createClient(api.url, (await signIn(account.email)).body.token, account.orgId);
    const changing = other.send('PUT', '/api/v1/password', { current: PASSWORD, password: 'four rather louder words' });
    await until('the password is changed, and the session to be ended is waited for', () => isWaitingForLock(db));
    const code = codeOf(begun.body.secret);
    const confirming = account.send('POST', '/api/v1/second-factor/confirmation', { code });
    await until('the change is waited for', async () => (await waitingForLock(db)) === 2);
    return { changing, confirming };
  });
  expect((await changed.changing).status).toBe(204);
  expect((await changed.confirming).status).toBe(401);
  expect(await db.selectFrom('second_factors').where('org_id', '=', account.orgId).select('org_id').execute()).toEqual(
    [],
  );
  expect((await signIn(account.email, 'four rather louder words')).status).toBe(201);
});

test('afterwards the password gives a ticket, and the ticket and a code give a session', async () => {
  const account = await register();
  const { secret } = await setUp(account);
  expect((await account.get('/api/v1/second-factor')).body).toEqual({
    since: expect.any(String),
    recoveryCodesLeft: RECOVERY_CODES,
  });
  const first = await signIn(account.email);
  expect(first).toMatchObject({ status: 202, body: { ticket: expect.any(String) } });
  expect(first.headers.getSetCookie()).toEqual([]);
  const { status, body } = await secondStep(first.body.ticket, codeOf(secret));
  expect(status).toBe(201);
  expect((await createClient(api.url, body.token, account.orgId).get('/api/v1/me')).status).toBe(200);
  expect((await actionsOf(account)).slice(0, 2)).toEqual(['session.started', 'second-factor.set-up']);
});

test('a wrong password says the same, with a second factor and without', async () => {
  const [withFactor, without] = [await register(), await register()];
  await setUp(withFactor);
  const answers = [await signIn(withFactor.email, 'wrong password'), await signIn(without.email, 'wrong password')];
  expect(answers.map(({ status }) => status)).toEqual([401, 401]);
  expect(answers[0]?.body).toEqual(answers[1]?.body);
});

test('a code works once, also when it comes twice at once, and an older one not at all', async () => {
  const account = await register();
  const { secret } = await setUp(account);
  const { ticket } = (await signIn(account.email)).body;
  const code = codeOf(secret);
  const answers = await Promise.all([secondStep(ticket, code), secondStep(ticket, code), secondStep(ticket, code)]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 403, 403]);
  expect((await secondStep(ticket, codeOf(secret, -1))).status).toBe(403);
  expect((await secondStep(ticket, codeOf(secret, 1))).status).toBe(201);
});

test('each code works once, however it is typed', async () => {
  const account = await register();
  const { secret, recoveryCodes } = await setUp(account);
  expect(new Set(recoveryCodes).size).toBe(RECOVERY_CODES);
  const { ticket } = (await signIn(account.email)).body;
  const code = recoveryCodes[0] as string;
  expect((await secondStep(ticket, ` ${code.toUpperCase().replaceAll('-', ' ')}`)).status).toBe(201);
  expect((await secondStep(ticket, code)).status).toBe(403);
  expect((await secondStep(ticket, (recoveryCodes[1] as string).replaceAll('-', '–'))).status).toBe(201);
  const fullWidth = [...codeOf(secret)].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join('');
  expect((await secondStep(ticket, fullWidth)).status).toBe(201);
  expect((await account.get('/api/v1/second-factor')).body).toMatchObject({ recoveryCodesLeft: RECOVERY_CODES - 2 });
});

test('with another SECRET_KEY, which opens no secret of before, recovery codes work, and the others say so', async () => {
  const account = await register();
  const { secret, recoveryCodes } = await setUp(account);
  const sealed = createSecretBox('another secret key, as long as the other', 'second factor').seal('', secret);
  await sql`update second_factors set sealed_secret = ${sealed} where org_id = ${account.orgId}`.execute(
    api.database.db,
  );
  const { ticket } = (await signIn(account.email)).body;
  expect(await secondStep(ticket, codeOf(secret))).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('Use a recovery code') },
  });
  expect((await secondStep(ticket, recoveryCodes[0] as string)).status).toBe(201);
  const given = { password: PASSWORD, code: recoveryCodes[1] };
  expect((await account.send('POST', '/api/v1/second-factor/removal', given)).status).toBe(204);
});

test('codes are tried a few times only, whatever address they come from', async () => {
  const account = await register();
  const { secret } = await setUp(account);
  const { ticket } = (await signIn(account.email)).body;
  for (let n = 0; n < CODE_TRIES_MAX; n++) expect((await secondStep(ticket, 'aaaaaa')).status).toBe(403);
  expect((await secondStep(ticket, codeOf(secret))).status).toBe(429);
});

test('only second steps that fail use up the tries of a network', async () => {
  const account = await register();
  const { recoveryCodes } = await setUp(account);
  const { ticket } = (await signIn(account.email)).body;
  const step = (given: object) =>
    call(api.url, 'POST', '/api/v1/sessions/second-factor', {
      headers: { 'x-forwarded-for': '198.51.100.8' },
      body: given,
    });
  const madeUp = () => step({ ticket: 'made up', code: '123456' });
  for (let nth = 1; nth < LINK_TRIES_PER_MINUTE_MAX; nth++) expect((await madeUp()).status).toBe(401);
  for (const code of recoveryCodes.slice(0, 2)) expect((await step({ ticket, code })).status).toBe(201);
  expect((await madeUp()).status).toBe(401);
  expect((await madeUp()).status).toBe(429);
});

test('nobody uses up the tries of somebody else with tickets that were made up', async () => {
  const account = await register();
  const { secret } = await setUp(account);
  const { ticket } = (await signIn(account.email)).body;
  const forged = `${ticket.split('.').slice(0, 3).join('.')}.${'A'.repeat(43)}`;
  for (let n = 0; n <= CODE_TRIES_MAX; n++) expect((await secondStep(forged, 'aaaaaa')).status).toBe(401);
  expect((await secondStep(ticket, codeOf(secret))).status).toBe(201);
});

test('a ticket that was made up, changed, or is from before the password changed gets nobody in', async () => {
  const [account, other] = [await register(), await register()];
  const { secret } = await setUp(account);
  await setUp(other);
  const { ticket } = (await signIn(account.email)).body;
  const theirs = (await signIn(other.email)).body.ticket;
  const mixed = [...theirs.split('.').slice(0, 3), ticket.split('.')[3]].join('.');
  const later = ticket.replace(/^([^.]+\.[^.]+)\.[^.]+/, `$1.${(Date.now() + 9e8).toString(36)}`);
  for (const wrong of ['x', mixed, later]) expect((await secondStep(wrong, codeOf(secret))).status).toBe(401);
  const changed = await account.send('PUT', '/api/v1/password', {
    current: PASSWORD,
    password: 'four rather louder words',
  });
  expect(changed.status).toBe(204);
  expect((await secondStep(ticket, codeOf(secret))).status).toBe(401);
});

test('it is turned off with a recovery code as well, and one that was never confirmed asks for nothing', async () => {
  const [account, halfway] = [await register(), await register()];
  const { recoveryCodes } = await setUp(account);
  const given = { password: PASSWORD, code: recoveryCodes[0] as string };
  expect((await account.send('POST', '/api/v1/second-factor/removal', given)).status).toBe(204);
  await halfway.send('POST', '/api/v1/second-factor', { password: PASSWORD });
  expect((await halfway.send('POST', '/api/v1/second-factor/removal', given)).status).toBe(404);
});

test('to begin again while a code is being confirmed does not take away what was confirmed', async () => {
  const account = await register();
  await account.send('POST', '/api/v1/second-factor', { password: PASSWORD });
  const of = { org_id: account.orgId };
  const begun = await api.database.db.transaction().execute(async (transaction) => {
    await transaction
      .updateTable('second_factors')
      .set({ confirmed_at: new Date() })
      .where('org_id', '=', of.org_id)
      .execute();
    const beginning = account.send('POST', '/api/v1/second-factor', { password: PASSWORD });
    await until('it waits for the confirmation', () => isWaitingForLock(api.database.db));
    return { answer: beginning };
  });
  expect((await begun.answer).status).toBe(409);
  expect((await account.get('/api/v1/second-factor')).body).toMatchObject({ since: expect.any(String) });
});

test('the database has neither the secret nor a recovery code', async () => {
  const account = await register();
  const { secret, recoveryCodes } = await setUp(account);
  const { rows } = await sql<{ row: string }>`
    select convert_from(sealed_secret, 'latin1') || string_agg(convert_from(code_hash, 'latin1'), '') as row
    from second_factors f join recovery_codes c using (org_id, user_id)
    where f.org_id = ${account.orgId} group by sealed_secret`
    .execute(api.database.db)
    .catch(() => ({ rows: [] }));
  const stored = rows[0]?.row ?? '';
  for (const text of [secret, ...recoveryCodes]) expect(stored).not.toContain(text);
  const found = await api.database.db
    .selectFrom('second_factors')
    .where('org_id', '=', account.orgId)
    .selectAll()
    .execute();
  expect(found[0]?.sealed_secret.length).toBe(12 + 16 + secret.length);
});

test('with the password and a code it is turned off, and its recovery codes are gone', async () => {
  const account = await register();
  const { secret } = await setUp(account);
  const code = codeOf(secret);
  const turnOff = (given: { password: string; code?: string }) =>
    account.send('POST', '/api/v1/second-factor/removal', given);
  expect((await turnOff({ password: PASSWORD })).status).toBe(400);
  expect((await turnOff({ password: 'wrong password', code })).status).toBe(403);
  for (const wrong of [codeOf(secret, -1), 'aaaaaa'])
    expect((await turnOff({ password: PASSWORD, code: wrong })).status).toBe(403);
  expect((await account.get('/api/v1/second-factor')).body).toMatchObject({ since: expect.any(String) });
  expect((await turnOff({ password: PASSWORD, code })).status).toBe(204);
  expect((await turnOff({ password: PASSWORD, code })).status).toBe(404);
  expect((await signIn(account.email)).status).toBe(201);
  const left = await api.database.db
    .selectFrom('recovery_codes')
    .where('org_id', '=', account.orgId)
    .selectAll()
    .execute();
  expect(left).toEqual([]);
});
