import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockAccess } from '../../../src/http/current-access.ts';
import { NO_PASSWORD } from '../../../src/http/password-hashing.ts';
import { createRateLimits } from '../../../src/http/rate-limit.ts';
import {
  LINKS_PER_ADDRESS_MAX,
  PASSWORD_RESET_MS,
  PASSWORD_TRIES_MAX,
  PASSWORD_TRIES_MS,
} from '../../../src/modules/accounts/limits.ts';
import { createSignInLimits } from '../../../src/modules/accounts/sign-in-limits.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { type ApiClient, call, createClient } from '../../api-client.ts';
import { isWaitingForLock, until, waitingForLock } from '../../database.ts';
import { mailsTo, readMail, tokenIn } from '../../mails.ts';
import { registerOrganisation } from '../../registration.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { SECRET_KEY, startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { actionsOf } from './members.ts';

const PASSWORD = 'three quiet words';
const NEW = 'four rather louder words';

let api: RunningApi;
let mailer: TestWorker;
beforeAll(async () => {
  api = await runApi({ TRUST_PROXY_HOPS: '1' });
  await startMailing();
});
afterAll(async () => {
  await mailer.stop();
  await api.stop();
});

async function startMailing(): Promise<void> {
  mailer = await startWorker('mailer', startMailer, { ...(await testEnvironment(api.database)), API_URL: api.url });
}

const somewhere = () => ({ 'x-forwarded-for': `10.${[...randomBytes(3)].join('.')}` });
const send = <T = { detail: string }>(path: string, body: object, headers = somewhere()) =>
  call<T>(api.url, 'POST', path, { headers, body });

interface Account extends ApiClient {
  readonly email: string;
}

async function register(password = PASSWORD): Promise<Account> {
  const email = `${randomBytes(6).toString('hex')}@passwords.test`;
  const answer = await registerOrganisation(api, { email, password }, somewhere());
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return { ...createClient(api.url, answer.body.token, answer.body.organisation.id), email };
}

async function signIn({ email }: Account, password: string) {
  return send<{ token: string }>('/api/v1/sessions', { email, password });
}

/** The token of the newest mail to the account with such a link. */
function mailed({ email }: Account, page: 'reset'): Promise<string> {
  return until(`a mail with a link to ${page}`, async () => {
    for (const mail of await mailsTo(email)) {
      const { text } = await readMail(mail.id);
      if (text.includes(`/#/${page}/`)) return tokenIn(text, page);
    }
    return undefined;
  });
}

test('changing the password ends all other sessions, and keeps the one that does it', async () => {
  const account = await register();
  const other = createClient(api.url, (await signIn(account, PASSWORD)).body.token, account.orgId);
  expect((await other.get('/api/v1/me')).status).toBe(200);
  expect((await account.send('PUT', '/api/v1/password', { current: 'not the password', password: NEW })).status).toBe(
    403,
  );
  expect((await account.send('PUT', '/api/v1/password', { current: PASSWORD, password: NEW })).status).toBe(204);
  expect((await other.get('/api/v1/me')).status).toBe(401);
  expect((await account.get('/api/v1/me')).status).toBe(200);
  expect((await signIn(account, PASSWORD)).status).toBe(401);
  expect((await signIn(account, NEW)).status).toBe(201);
});

test('with a session of somebody else a password is guessed ten times within a quarter of an hour', async () => {
  const account = await register();
  const guess = (current: string) => account.send('PUT', '/api/v1/password', { current, password: NEW });
  for (let time = 0; time < PASSWORD_TRIES_MAX; time++) expect((await guess('not the password')).status).toBe(403);
  const refused = await guess(PASSWORD);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(PASSWORD_TRIES_MS / 1_000 - 60);
});

const ATTEMPTS = {
  'sign in': (account: Account) => signIn(account, PASSWORD),
  'change the password': (account: Account) =>
    account.send('PUT', '/api/v1/password', { current: PASSWORD, password: NEW }),
  'set up a second factor': (account: Account) => account.send('POST', '/api/v1/second-factor', { password: PASSWORD }),
};

test.each([
  ['change the password', 204],
  ['set up a second factor', 201],
] as const)(
  'whoever is to %s while they sign in waits without holding what others wait for',
  async (attempt, status) => {
    const account = await register();
    const attempted = await api.database.db.transaction().execute(async (transaction) => {
      const held = sql`select from users where org_id = ${account.orgId} for share`; // as a sign-in does
      await held.execute(transaction);
      const answer = ATTEMPTS[attempt](account);
      await until('it waits', () => isWaitingForLock(api.database.db));
      await sql`select from users where org_id = ${account.orgId} for update nowait`.execute(transaction);
      return { answer };
    });
    expect((await attempted.answer).status).toBe(status);
  },
);

test.each([
  ['sign in', 'has another password', 401],
  ['sign in', 'was removed', 401],
  ['change the password', 'has another password', 401],
  ['change the password', 'was removed', 401],
  ['set up a second factor', 'has another password', 401],
  ['set up a second factor', 'was removed', 401],
] as const)(
  'whoever began to %s before the account %s does not get through after it',
  async (attempt, change, status) => {
    const account = await register();
    const { orgId } = account;
    const attempted = await api.database.db.transaction().execute(async (transaction) => {
      await lockAccess(transaction, orgId); // as everything does that removes somebody or replaces a password
      if (change === 'was removed') await sql`delete from users where org_id = ${orgId}`.execute(transaction);
      else await sql`update users set password_hash = ${NO_PASSWORD} where org_id = ${orgId}`.execute(transaction);
      await sql`delete from sessions where org_id = ${orgId}`.execute(transaction);
      const answer = ATTEMPTS[attempt](account);
      await until('the password was right, and the change is waited for', () => isWaitingForLock(api.database.db));
      return { answer };
    });
    expect((await attempted.answer).status).toBe(status);
    const gotThrough = await sql`
      select from users where org_id = ${orgId} and password_hash <> ${NO_PASSWORD}
      union all select from sessions where org_id = ${orgId}
      union all select from second_factors where org_id = ${orgId}`.execute(api.database.db);
    expect(gotThrough.rows).toEqual([]);
  },
);

test.each(['change the password', 'set up a second factor'] as const)(
  'whoever is about to %s when they have just changed it in another tab is told so',
  async (attempt) => {
    const account = await register();
    const { db } = api.database;
    const both = await db.transaction().execute(async (transaction) => {
      await sql`select from users where org_id = ${account.orgId} for update`.execute(transaction);
      const changing = ATTEMPTS['change the password'](account);
      await until('the change waits', () => isWaitingForLock(db));
      const second = ATTEMPTS[attempt](account);
      await until('the password was right, and the change is waited for', async () => (await waitingForLock(db)) === 2);
      return { changing, second };
    });
    expect((await both.changing).status).toBe(204);
    expect(await both.second).toMatchObject({
      status: 403,
      body: { detail: 'Your password has changed meanwhile. Enter the new one.' },
    });
  },
);

test('a password that is changed and reset at once waits before it holds what the other one needs', async () => {
  const account = await register();
  const { db } = api.database;
  await send('/api/v1/password-resets', { email: account.email });
  const token = await mailed(account, 'reset');
  const reset = db.selectFrom('password_resets').where('org_id', '=', account.orgId).select('mailed_at');
  await until('the mailer is done with it', async () => (await reset.executeTakeFirst())?.mailed_at);
  await signIn(account, PASSWORD);
  const both = await db.transaction().execute(async (transaction) => {
    await sql`select from sessions where org_id = ${account.orgId} for update`.execute(transaction);
    const changing = ATTEMPTS['change the password'](account);
    await until('the sessions to be ended are waited for', () => isWaitingForLock(db));
    const resetting = send('/api/v1/password-resets/confirmations', { token, password: 'five words of another kind' });
    await until('the change is waited for', async () => (await waitingForLock(db)) === 2);
    await sql`select from password_resets where org_id = ${account.orgId} for update nowait`.execute(transaction);
    return { changing, resetting };
  });
  expect((await both.changing).status).toBe(204);
  expect((await both.resetting).status).toBe(410);
});

test('a forgotten password is reset by a mailed link, once, and all sessions end', async () => {
  const account = await register();
  expect((await send('/api/v1/password-resets', { email: account.email.toUpperCase() })).status).toBe(204);
  const token = await mailed(account, 'reset');
  const reset = () => send('/api/v1/password-resets/confirmations', { token, password: NEW });
  const answers = await Promise.all([reset(), reset()]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 410]);
  expect((await reset()).status).toBe(410);
  expect((await account.get('/api/v1/me')).status).toBe(401);
  const isDevice = (cookie: string) => cookie.startsWith('tardigrade_device=');
  const cookies = answers.flatMap(({ headers }) => headers.getSetCookie()).filter(isDevice);
  expect(cookies).toHaveLength(1); // strangers who guess cannot keep out somebody who reads the account's mail
  const device = /^tardigrade_device=([^;]+);.*HttpOnly/.exec(cookies[0] ?? '')?.[1];
  const given = { network: '192.0.2.1', device, email: account.email };
  expect(createSignInLimits(SECRET_KEY, createRateLimits()).origin(given).isKnownDevice).toBe(true);
  const back = await signIn(account, NEW);
  expect(back.status).toBe(201);
  const client = createClient(api.url, back.body.token, account.orgId);
  expect(await actionsOf(client)).toEqual([
    'session.started',
    'password.reset',
    'password.reset-requested',
    'organisation.registered',
  ]);
});

test('asking again mails the same link in another mail, and keeps no link alive; changing the password ends it', async () => {
  const account = await register();
  const ask = () => send('/api/v1/password-resets', { email: account.email });
  const reset = async () => {
    const { rows } = await sql<{ id: number; isMailed: boolean; expiresAt: string }>`
      select r.id, r.mailed_at is not null as "isMailed", r.expires_at as "expiresAt"
      from password_resets r join users u on u.org_id = r.org_id and u.id = r.user_id
      where u.email = ${account.email}`.execute(api.database.db);
    return rows[0];
  };
  const mailsAfter = async (count: number) => {
    const isThere = async () => (await mailsTo(account.email)).length >= count && (await reset())?.isMailed;
    await until('the mail', isThere);
    return mailsTo(account.email);
  };
  await ask();
  await mailsAfter(1);
  const token = await mailed(account, 'reset');
  const first = await reset();
  await ask();
  const mails = await mailsAfter(2);
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(mails.length);
  expect(await reset()).toEqual(first);
  expect(await mailed(account, 'reset')).toBe(token);

  // Less than half of its time.
  await sql`update password_resets set expires_at = now() + make_interval(secs => ${PASSWORD_RESET_MS / 2_000 - 1})
    where id = ${first?.id}`.execute(api.database.db);
  await ask();
  await mailsAfter(3);
  expect((await reset())?.id).not.toBe(first?.id);
  expect((await send('/api/v1/password-resets/confirmations', { token, password: NEW })).status).toBe(410);
  await account.send('PUT', '/api/v1/password', { current: PASSWORD, password: NEW });
  expect(await reset()).toBeUndefined();
});

test('a link that has expired stays so when somebody asks again, and the new one works', async () => {
  const account = await register();
  await send('/api/v1/password-resets', { email: account.email });
  const expired = await mailed(account, 'reset');
  await sql`update password_resets set expires_at = now()`.execute(api.database.db);
  await send('/api/v1/password-resets', { email: account.email });
  const fresh = await until('another link', async () => {
    const token = await mailed(account, 'reset');
    return token === expired ? undefined : token;
  });
  expect((await send('/api/v1/password-resets/confirmations', { token: expired, password: NEW })).status).toBe(410);
  expect((await send('/api/v1/password-resets/confirmations', { token: fresh, password: NEW })).status).toBe(204);
});

test('an address without an account gets the same answer from the same work, and no mail', async () => {
  const account = await register();
  const statements = async (email: string) => {
    const before = await outboxIds();
    const { status, body } = await send('/api/v1/password-resets', { email });
    return { status, body, written: (await outboxIds()) - before };
  };
  await mailer.stop(); // it writes events of its own
  const known = await statements(account.email);
  const unknown = await statements('nobody@passwords.test');
  await startMailing();
  expect(unknown).toEqual(known);
  expect(known).toEqual({ status: 204, body: '', written: 1 });
  await mailed(account, 'reset');
  expect(await mailsTo('nobody@passwords.test')).toEqual([]);
});

test('one address gets few mails, whoever asks, however it is spelled, and whether it has an account or not', async () => {
  const { email } = await register();
  const spelled = [email, email.toUpperCase(), ` ${email}`, email];
  const unknown = ['ada@bücher.test', 'ADA@BÜCHER.TEST', 'ada@xn--bcher-kva.test', 'ada@bücher.test'];
  for (const spellings of [spelled, unknown]) {
    const statuses: number[] = [];
    for (const one of spellings) {
      const { status, headers } = await send('/api/v1/password-resets', { email: one });
      statuses.push(status);
      // How many are left would say how often others have asked.
      expect(headers.get('ratelimit') ?? '').not.toContain('address');
    }
    expect(statuses).toEqual([...Array(LINKS_PER_ADDRESS_MAX).fill(204), 429]);
  }
});

test('a link that has expired does not work, and is deleted by the retention', async () => {
  const account = await register();
  await send('/api/v1/password-resets', { email: account.email });
  const token = await mailed(account, 'reset');
  await sql`update password_resets set expires_at = now() - interval '1 second'`.execute(api.database.db);
  expect((await send('/api/v1/password-resets/confirmations', { token, password: NEW })).status).toBe(410);
  expect((await signIn(account, PASSWORD)).status).toBe(201);
});

test.each(['password123', 'PASSWORD123', 'qwertyuiop', '1234567890', 'ｐａｓｓｗｏｒｄ１２３', 'aaaaaaaaaaaa'])(
  '%s is refused as the commonest are, in capitals and full width too',
  async (password) => {
    const refused = await registerOrganisation(api, { password }, somewhere());
    expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringContaining('among the first') } });
  },
);

test('the address itself is no password, and the rule holds for changes and resets as well', async () => {
  const account = await register();
  for (const password of [account.email, 'password123'])
    expect((await account.send('PUT', '/api/v1/password', { current: PASSWORD, password })).status).toBe(400);
  await send('/api/v1/password-resets', { email: account.email });
  const token = await mailed(account, 'reset');
  expect((await send('/api/v1/password-resets/confirmations', { token, password: 'password123' })).status).toBe(400);
  expect((await send('/api/v1/password-resets/confirmations', { token, password: NEW })).status).toBe(204);
});

test('the same letters typed in other characters are the same password', async () => {
  const account = await register('ﬁne passwörd ２０');
  expect((await signIn(account, 'fine passwo\u0308rd 20')).status).toBe(201);
  expect((await signIn(account, 'fine password 20')).status).toBe(401);
});

async function outboxIds(): Promise<number> {
  const { rows } = await sql<{ last: number }>`select last_value as last from outbox_id_seq`.execute(api.database.db);
  return rows[0]?.last ?? Number.NaN;
}

test('somebody without a password is told to choose one, and nobody signs in with what is stored instead', async () => {
  const account = await api.newOwner();
  const noPassword = { status: 403, body: { detail: expect.stringContaining('has no password') } };
  const change = { current: NO_PASSWORD, password: NEW };
  expect(await account.send('PUT', '/api/v1/password', change)).toMatchObject(noPassword);
  const given = { password: NO_PASSWORD };
  expect(await account.send('POST', '/api/v1/second-factor', given)).toMatchObject(noPassword);
  const turnOff = account.send('POST', '/api/v1/second-factor/removal', { ...given, code: '123456' });
  expect(await turnOff).toMatchObject(noPassword);
  const { body: me } = await account.get<{ user: { email: string } }>('/api/v1/me');
  const { status } = await send('/api/v1/sessions', { email: me.user.email, password: NO_PASSWORD });
  expect(status).toBe(401);
});
