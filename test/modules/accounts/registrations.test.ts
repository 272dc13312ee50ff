import { randomBytes } from 'node:crypto';
import { PostgresQueryCompiler, sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Caller, createCaller } from '../../../src/db/read-write-split.ts';
import type { Db } from '../../../src/db/schema.ts';
import { NO_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { PASSWORD_CHARS, SIGN_INS_PER_MINUTE_MAX } from '../../../src/limits.ts';
import { LINKS_PER_ADDRESS_MAX, REGISTRATION_MS, REGISTRATIONS_MAX } from '../../../src/modules/accounts/limits.ts';
import { requestRegistration } from '../../../src/modules/accounts/registrations.ts';
import { retention } from '../../../src/modules/accounts/retention.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { call, createClient } from '../../api-client.ts';
import { isWaitingForLock, until } from '../../database.ts';
import { mailsTo, type ReadMail, readMail, tokenIn } from '../../mails.ts';
import { OWNER, registrationToken, type Welcome } from '../../registration.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { actionsOf, addPerson, tokenOf } from './members.ts';

type Refused = { detail: string; code: string };

let api: RunningApi;
let mailer: TestWorker;
beforeAll(async () => {
  api = await runApi({ TRUST_PROXY_HOPS: '1' });
  mailer = await startWorker('mailer', startMailer, { ...(await testEnvironment(api.database)), API_URL: api.url });
});
afterAll(async () => {
  await mailer.stop();
  await api.stop();
});

const address = () => `${randomBytes(6).toString('hex')}@register.test`;
const send = <T = Refused>(path: string, body: object, network = `10.${[...randomBytes(3)].join('.')}`) =>
  call<T>(api.url, 'POST', path, { headers: { 'x-forwarded-for': network }, body });
const ask = (email: string, network?: string) => send<{ email: string }>('/api/v1/registrations', { email }, network);
const preview = (token: string) => send<{ email: string } & Refused>('/api/v1/registrations/preview', { token });
const confirm = <T = Welcome & Refused>(token: string, given: Partial<typeof OWNER> = {}) =>
  send<T>('/api/v1/registrations/confirmations', { token, ...OWNER, ...given });

/** Asks, and returns the token of the link that is mailed. */
async function asked(email = address()): Promise<string> {
  expect((await ask(email)).status).toBe(202);
  return registrationToken(api, email);
}

/** The address of somebody who has an account, in an organisation with this name. */
async function takenAddress(organisation = 'Acme'): Promise<string> {
  const { orgId, get } = await addPerson(api, 'owner');
  await sql`update organisations set name = ${organisation} where id = ${orgId}`.execute(api.database.db);
  return (await get<{ user: { email: string } }>('/api/v1/me')).body.user.email;
}

async function mailTo(email: string): Promise<ReadMail> {
  const [mail] = await until('a mail is caught', async () => {
    const mails = await mailsTo(email);
    return mails.length > 0 ? mails : undefined;
  });
  return readMail(mail?.id as number);
}

async function countAll() {
  const { rows } = await sql`
    select (select count(*) from organisations) as organisations, (select count(*) from users) as users,
      (select count(*) from sessions) as sessions`.execute(api.database.db);
  return rows[0];
}

test('an account exists once the link in the mail is used, and not before', async () => {
  const before = await countAll();
  const email = address();
  const answer = await ask(` ${email.toUpperCase()} `);
  expect(answer).toMatchObject({ status: 202, body: { email } });
  expect(answer.headers.getSetCookie().join()).not.toMatch(/session|device/);
  const token = tokenIn((await mailTo(email)).text, 'register');
  expect(await preview(token)).toMatchObject({ status: 200, body: { email } });
  expect(await countAll()).toEqual(before);
  expect((await send('/api/v1/sessions', { email, password: OWNER.password })).status).toBe(401);

  const { status, body, headers } = await confirm(token, { organisation: ' Acme ', name: 'Olga' });
  expect(status).toBe(201);
  expect(body.user).toEqual({ id: expect.any(Number), name: 'Olga', email, role: 'owner' });
  expect(body.organisation).toEqual({ id: expect.any(Number), name: 'Acme' });
  expect(headers.getSetCookie().join()).toContain(`tardigrade_session=${body.token}`);
  const client = createClient(api.url, body.token, body.organisation.id);
  expect((await client.get('/api/v1/me')).body).toMatchObject({ user: body.user, organisation: body.organisation });
  expect(await actionsOf(client)).toEqual(['organisation.registered']);
  expect((await send('/api/v1/sessions', { email, password: OWNER.password })).status).toBe(201);

  expect((await confirm(token)).status).toBe(410);
  expect((await preview(token)).status).toBe(410);
  expect(await waiting(email)).toEqual([]);
});

test('an address that is new, was asked for before, or has an account gets the same answer, headers included', async () => {
  const pending = address();
  await ask(pending);
  const answers = [];
  for (const email of [address(), pending, await takenAddress()]) {
    const { status, body, headers } = await ask(email);
    expect(body).toEqual({ email });
    answers.push({
      status,
      headers: [...headers].map(([name, value]) => [name, VARYING.test(name) ? '…' : value.replace(/t=\d+/g, 't=…')]),
    });
    expect(await waiting(email)).toHaveLength(1);
  }
  const [first, ...rest] = answers;
  expect(first?.status).toBe(202);
  for (const other of rest) expect(other).toEqual(first);
});

test('whatever the address is, its registration costs the same statements', async () => {
  const pending = address();
  await ask(pending);
  const sent: string[][] = [];
  for (const email of [address(), pending, await takenAddress()]) {
    const statements: string[] = [];
    await requestRegistration(recorded(statements), email);
    sent.push(statements);
  }
  expect(sent[0]?.map((text) => /^\s*(\w+ \w+ "?\w+"?)/.exec(text)?.[1])).toEqual([
    'delete from "registrations"',
    'insert into "registrations"',
    'delete from registrations',
    'insert into "outbox"',
  ]);
  for (const statements of sent) expect(statements).toEqual(sent[0]);
});

test('only the mail says whether an address has an account, and nothing of its organisation', async () => {
  const [fresh, taken] = [address(), await takenAddress('Secret Laboratories')];
  await ask(fresh);
  await ask(taken);
  expect((await mailTo(fresh)).subject).toBe('Register your organisation');
  const { subject, text, html } = await mailTo(taken);
  expect(subject).toBe('You already have an account');
  expect(text.match(/https?:\S+/g)).toEqual([`${api.url}/`, `${api.url}/#/forgotten/password`]);
  expect(html).toContain(`href="${api.url}/#/forgotten/password"`);
  for (const words of [text, html]) {
    expect(words).not.toContain('Secret Laboratories');
    expect(words).not.toContain('/register/');
  }
  for (const email of [fresh, taken]) expect(await mailsTo(email)).toHaveLength(1);
});

test('nothing that a stranger gives is in the mail to somebody else, nor anywhere before the link is used', async () => {
  const email = address();
  const spam = 'Win at https://evil.test\r\nBcc: everybody@victims.test';
  for (const field of ['organisation', 'name', 'password', 'message'])
    expect((await send('/api/v1/registrations', { email, [field]: spam })).status, field).toBe(400);
  for (const list of [`${email}, b@victims.test`, `${email}\r\nBcc: b@victims.test`, `"${spam}" <${email}>`])
    expect((await send('/api/v1/registrations', { email: list })).status, list).toBe(400);
  const token = await asked(email);
  const { text } = await mailTo(email);
  const time = /\d+ \w+ \d{4} at \d\d:\d\d UTC/;
  expect(text).toMatch(time);
  expect(text.replace(time, '…').trimEnd()).toBe(`Hello,

Somebody, probably you, asked on … to register an organisation on Tardigrade with this address. With the link you give it a name and choose your password. The link works once, for three days.

Register:
${api.url}/#/register/${token}

--

If it was not you, ignore this mail: without the link nothing happens.`);
});

test('asking again mails the same link: nobody who knows the address can make the one in its mailbox useless', async () => {
  const email = address();
  const first = await asked(email);
  await until('the first mail is on its way', async () => (await waiting(email))[0]?.mailed_at);
  await sql`update registrations set expires_at = now() + interval '1 minute' where email = ${email}`.execute(
    api.database.db,
  );
  expect(await asked(email.toUpperCase().toLowerCase())).toBe(first);
  const mails = await until('both mails', async () => {
    const caught = await mailsTo(email);
    return caught.length === 2 ? caught : undefined;
  });
  for (const { id } of mails) expect(tokenIn((await readMail(id)).text, 'register')).toBe(first);
  const [{ expires_at = '' } = {}] = await waiting(email);
  expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(REGISTRATION_MS / 2);
  expect((await confirm(first)).status).toBe(201);
  expect((await confirm(first)).status).toBe(410);
});

test('a link that has expired stays so when somebody asks again, and the new one works', async () => {
  const email = address();
  const expired = await asked(email);
  await sql`update registrations set expires_at = now() where email = ${email}`.execute(api.database.db);
  const fresh = await asked(email);
  expect(fresh).not.toBe(expired);
  expect((await confirm(expired)).status).toBe(410);
  expect((await confirm(fresh)).status).toBe(201);
});

test('a link that was used, has expired, is forged or of another kind does not work, and all say the same', async () => {
  const [used, goodEmail, expiredEmail] = [await asked(), address(), address()];
  expect((await confirm(used)).status).toBe(201);
  const good = await asked(goodEmail);
  const expired = await asked(expiredEmail);
  await sql`update registrations set expires_at = now() where email = ${expiredEmail}`.execute(api.database.db);
  const { id } = (await waiting(goodEmail))[0] as { id: number };
  const other = tokenOf(api, 'password-reset', { orgId: NO_ORGANISATION, id });
  for (const act of [confirm, preview]) {
    const answers = await Promise.all([used, expired, `${good.slice(0, -1)}!`, other].map((one) => act(one)));
    expect(answers.map(({ status }) => status)).toEqual([410, 410, 410, 410]);
    expect(new Set(answers.map(({ body }) => body.detail)).size).toBe(1);
  }
  expect((await confirm(good)).status).toBe(201);
  expect(await retention.registrations.forget(api.database.database, new AbortController().signal)).toBe(1);
  expect(await waiting(expiredEmail)).toEqual([]);
});

test('of several who use a link at once, one registers', async () => {
  const before = (await countAll()) as { organisations: number };
  const token = await asked();
  const answers = await Promise.all([1, 2, 3].map((n) => confirm(token, { name: `Olga ${n}` })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 410, 410]);
  expect(await countAll()).toMatchObject({ organisations: before.organisations + 1 });
});

test('somebody whose address got an account meanwhile is told, and nothing is left half done', async () => {
  const owner = await addPerson(api, 'owner');
  const join = (db: Db, email: string) =>
    db
      .insertInto('users')
      .values({ org_id: owner.orgId, email, name: 'Nia', role: 'viewer', password_hash: 'none' })
      .execute();
  const taken = { status: 409, body: { code: 'conflict', detail: expect.stringContaining('Sign in instead') } };

  const early = address();
  const token = await asked(early);
  await join(api.database.db, early);
  expect(await preview(token)).toMatchObject(taken);
  expect(await confirm(token)).toMatchObject(taken);

  // Between the reading of the link and the writing of the account.
  const late = address();
  const lateToken = await asked(late);
  const before = (await countAll()) as { users: number };
  const confirmed = await api.database.db.transaction().execute(async (transaction) => {
    await join(transaction, late);
    const confirming = confirm(lateToken);
    await until('it waits for the address', () => isWaitingForLock(api.database.db));
    return { answer: confirming };
  });
  expect(await confirmed.answer).toMatchObject(taken);
  expect(await countAll()).toEqual({ ...before, users: before.users + 1 });
});

test('a password that is refused does not use up the link', async () => {
  const email = address();
  const token = await asked(email);
  const refused = ['password123', 'x'.repeat(PASSWORD_CHARS.min - 1), 'x'.repeat(PASSWORD_CHARS.max + 1), email];
  for (const password of refused) expect((await confirm(token, { password })).status, password).toBe(400);
  expect((await confirm(token, { name: '   ' })).status).toBe(400);
  expect((await confirm(token)).status).toBe(201);
});

test('one address gets few mails, whoever asks, however it is spelled, and whether it has an account or not', async () => {
  const domain = `b\u00fccher-${randomBytes(4).toString('hex')}.test`;
  const spelled = [
    `ada@${domain}`,
    `ADA@${domain}`,
    `ada@${domain.normalize('NFD')}`,
    `ada@${new URL(`http://${domain}`).host}`,
  ];
  const taken = await takenAddress();
  // Most mail servers put all of them into one mailbox.
  const tagged = ['ada', 'ada+1', 'ADA+b', 'ada+a+b'].map((local) => `${local}@tagged-${domain}`);
  for (const spellings of [spelled, tagged, [taken, taken.toUpperCase(), ` ${taken}`, taken]]) {
    const statuses = [];
    for (const email of spellings) statuses.push((await ask(email)).status);
    expect(statuses).toEqual([...Array(LINKS_PER_ADDRESS_MAX).fill(202), 429]);
  }
});

test('registrations from one network are limited per minute', async () => {
  const statuses = [];
  for (let n = 0; n <= SIGN_INS_PER_MINUTE_MAX; n++) statuses.push((await ask(address(), '198.51.100.8')).status);
  expect(statuses).toEqual([...Array(SIGN_INS_PER_MINUTE_MAX).fill(202), 429]);
});

test('a flood pushes out the oldest, and never grows beyond its limit', async () => {
  await sql`delete from registrations`.execute(api.database.db);
  const old = [address(), address()];
  for (const email of old) await ask(email);
  await sql`select setval('registrations_id_seq', (select max(id) from registrations) + ${REGISTRATIONS_MAX - 2}::bigint)`.execute(
    api.database.db,
  );
  const recent = address();
  await ask(recent); // has the id with which the older of the two is one too many
  const { rows } = await sql<{ email: string }>`select email from registrations`.execute(api.database.db);
  expect(rows.map(({ email }) => email).toSorted()).toEqual([old[1], recent].toSorted());
});

/** With the time, the address's length, and the position of the write. */
const VARYING = /^(date|content-length|read-after|set-cookie)$/;

async function waiting(email: string) {
  return api.database.db.selectFrom('registrations').where('email', '=', email).selectAll().execute();
}

/** A caller whose statements are written down as they are sent. */
function recorded(statements: string[]): Caller {
  const compiler = new PostgresQueryCompiler();
  const caller = createCaller(api.database.database);
  return {
    ...caller,
    within: (scope) => {
      const session = caller.within(scope);
      return {
        ...session,
        write: (work) =>
          session.write((transaction) =>
            work(
              transaction.withPlugin({
                transformQuery({ node, queryId }) {
                  statements.push(compiler.compileQuery(node, queryId).sql);
                  return node;
                },
                transformResult: async ({ result }) => result,
              }),
            ),
          ),
      };
    },
  };
}
