import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'kysely';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { LINK_TRIES_PER_MINUTE_MAX, OIDC_PROVIDER_MS } from '../../../src/modules/accounts/limits.ts';
import { createOidcClient, type OidcClient } from '../../../src/modules/accounts/oidc.ts';
import { createClient } from '../../api-client.ts';
import { isWaitingForLock, type TestDatabase, until } from '../../database.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { createTcpGate, type TcpGate } from '../../tcp-gate.ts';
import { actionsOf, addPerson, type Person } from './members.ts';

type Settings = NonNullable<ConstructorParameters<typeof Provider>[1]>;

const SECRET = 'the client secret of the tests';

let api: RunningApi;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ api, stop } = await runBoth());
});
afterAll(() => stop());

/** An api, and a provider that its people may sign in with. */
async function runBoth(
  own: Partial<Settings> = {},
  environment: (database: TestDatabase) => Promise<Record<string, string>> = async () => ({}),
) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const settings = { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: 'tardigrade', OIDC_CLIENT_SECRET: SECRET };
  const api = await runApi(async (database) => ({
    ...{ ...settings, TRUST_PROXY_HOPS: '1' },
    ...(await environment(database)),
  }));
  const provider = await startProvider(port, `${api.url}/oidc/callback`, own);
  async function stop() {
    provider.closeAllConnections();
    provider.close();
    await api.stop();
  }
  return { api, stop };
}

test('where it is not configured there is nothing of it', async () => {
  const plain = await runApi();
  expect((await fetch(`${plain.url}/oidc/start`)).status).toBe(404);
  expect(await (await fetch(`${plain.url}/api/v1/sign-in-options`)).json()).toEqual({ oidc: false });
  await plain.stop();
});

test('whoever the provider knows by a confirmed address of an account is signed in, and known by the subject from then on', async () => {
  const person = await addPerson(api, 'owner');
  const email = await emailOf(person);
  expect(await (await fetch(`${api.url}/api/v1/sign-in-options`)).json()).toEqual({ oidc: true });
  const first = await signIn(subjectOf(email, true));
  expect(first.location).toBe('/');
  const client = createClient(api.url, first.token as string, person.orgId);
  expect((await client.get('/api/v1/me')).body).toMatchObject({ user: { id: person.userId } });
  expect(await actionsOf(person)).toEqual(['session.started', 'identity.linked']);
  // The subject stays, whatever becomes of the address.
  await sql`update users set email = 'renamed-' || email where id = ${person.userId}`.execute(api.database.db);
  expect((await signIn(subjectOf(email, true))).location).toBe('/');
});

test('the provider may write the address in another way', async () => {
  const person = await addPerson(api, 'owner');
  await sql`update users set email = 'zoë@xn--bcher-kva.example' where id = ${person.userId}`.execute(api.database.db);
  expect((await signIn(subjectOf('Zoë@Bücher.example', true))).location).toBe('/');
});

test('an address that the provider has not confirmed takes over no account', async () => {
  const person = await addPerson(api, 'owner');
  const unconfirmed = await signIn(subjectOf(await emailOf(person), false));
  expect(unconfirmed).toMatchObject({ location: '/#/sign-in-failed/unverified', token: undefined });
  const stranger = await signIn(subjectOf('stranger@nowhere.test', true));
  expect(stranger).toMatchObject({ location: '/#/sign-in-failed/no-account', token: undefined });
});

test('an address that has changed hands at the provider does not open the account of whoever had it before', async () => {
  const person = await addPerson(api, 'owner');
  const email = await emailOf(person);
  const both = await Promise.all([signIn(subjectOf(email, true)), signIn(subjectOf(email, true))]);
  expect(both.map(({ location }) => location)).toEqual(['/', '/']);
  const next = await signIn(subjectOf(email.toUpperCase(), true));
  expect(next).toMatchObject({ location: '/#/sign-in-failed/other-identity', token: undefined });
  expect((await actionsOf(person)).filter((action) => action === 'identity.linked')).toHaveLength(1);
});

test('whoever is removed while they sign in for the first time is told so', async () => {
  const person = await addPerson(api, 'owner');
  const { callback, flows } = await authorize(subjectOf(await emailOf(person), true));
  const removed = await api.database.db.transaction().execute(async (transaction) => {
    await sql`delete from users where id = ${person.userId}`.execute(transaction);
    const finishing = finish(callback, flows);
    await until('the removal is waited for', () => isWaitingForLock(api.database.db));
    return { finishing };
  });
  expect(await removed.finishing).toEqual({ location: '/#/sign-in-failed/changed', token: undefined });
});

test('while the database is away a person gets a page as well', async () => {
  let gate!: TcpGate;
  const behind = await runBoth({}, async ({ url }) => {
    gate = await createTcpGate(new URL(url), await freePort());
    return { DATABASE_URL: url.replace(/:\d+\//, `:${gate.port}/`) };
  });
  onTestFinished(behind.stop);
  const { callback, flows } = await authorize(subjectOf('anybody@nowhere.test', true), behind.api);
  await gate.shut();
  const headers = { 'x-forwarded-for': '198.51.100.8' };
  const comeBack = async (to: string) =>
    (await fetch(to, { redirect: 'manual', headers: { ...headers, ...cookies(flows) } })).headers.get('location');
  expect(await comeBack(callback)).toBe('/#/sign-in-failed/busy');
  // Which used up none of the tries that a company behind one address has.
  const given: (string | null)[] = [];
  for (let nth = 0; nth < LINK_TRIES_PER_MINUTE_MAX; nth++)
    given.push(await comeBack(`${behind.api.url}/oidc/callback`));
  expect(new Set(given)).toEqual(new Set(['/#/sign-in-failed/provider']));
});

test('an answer to another browser, with another state, or that comes twice is refused', async () => {
  const person = await addPerson(api, 'owner');
  const subject = subjectOf(await emailOf(person), true);
  const { callback, flows } = await authorize(subject);
  const { flows: others } = await authorize(subject);
  expect((await finish(callback, undefined)).location).toBe('/#/sign-in-failed/provider');
  expect((await finish(callback, others)).location).toBe('/#/sign-in-failed/provider');
  expect((await finish(callback.replace(/state=[^&]+/, 'state=other'), flows)).location).toBe(
    '/#/sign-in-failed/provider',
  );
  expect((await finish(callback, flows)).location).toBe('/');
  expect((await finish(callback, flows)).location).toBe('/#/sign-in-failed/provider');
});

test('only sign-ins that fail use up the tries of a network, and whoever has none left gets a page', async () => {
  const subject = subjectOf(await emailOf(await addPerson(api, 'owner')), true);
  const network = { 'x-forwarded-for': '198.51.100.7' };
  const comeBack = async (to = `${api.url}/oidc/callback`, flows?: string) =>
    (await fetch(to, { redirect: 'manual', headers: { ...network, ...cookies(flows) } })).headers.get('location');
  for (let nth = 1; nth < LINK_TRIES_PER_MINUTE_MAX; nth++) expect(await comeBack()).toBe('/#/sign-in-failed/provider');
  for (let person = 0; person < 2; person++) {
    const { callback, flows } = await authorize(subject);
    expect(await comeBack(callback, flows)).toBe('/');
  }
  expect(await comeBack()).toBe('/#/sign-in-failed/provider');
  expect(await comeBack()).toBe('/#/sign-in-failed/busy');
});

test('the log says why a provider refused, and nothing that anybody could sign in with', async () => {
  const warned = vi.spyOn(api.worker.process.log, 'warn');
  onTestFinished(() => warned.mockRestore());
  const { callback, flows } = await authorize(subjectOf('anybody@nowhere.test', true));
  await finish(callback, flows);
  await finish(callback, flows);
  const refused = { reason: 'ResponseBodyError', code: 'OAUTH_RESPONSE_BODY_ERROR', said: 'invalid_grant' };
  expect(warned.mock.calls).toEqual([[refused, 'a sign-in with OpenID Connect was refused']]);
});

test('a second factor that was set up here is asked for as well', async () => {
  const person = await addPerson(api, 'owner');
  await sql`
    insert into second_factors (org_id, user_id, sealed_secret, confirmed_at)
    values (${person.orgId}, ${person.userId}, '\\x00', now())`.execute(api.database.db);
  const { location, token } = await signIn(subjectOf(await emailOf(person), true));
  expect(location).toMatch(/^\/#\/second-step\/[\w.-]+$/);
  expect(token).toBeUndefined();
});

test.each([
  ['header', 'client_secret_basic'],
  ['body', 'client_secret_post'],
] as const)(
  'a provider may tell the address only where it is asked for it, and take the secret only in the %s',
  async (_, method) => {
    const own = { clientAuthMethods: [method], clientDefaults: { token_endpoint_auth_method: method } };
    const thin = await runBoth({ conformIdTokenClaims: true, ...own });
    onTestFinished(thin.stop);
    const email = await emailOf(await addPerson(thin.api, 'owner'));
    expect((await signIn(subjectOf(email, true), thin.api)).location).toBe('/');
    expect((await signIn(subjectOf('Another@nowhere.test', false), thin.api)).location).toBe(
      '/#/sign-in-failed/unverified',
    );
  },
);

test('what a provider says about itself is asked again after a while, because providers move', async () => {
  let place = 'first';
  const oidcIssuer = await serve(({ headers }, response) => {
    const issuer = `http://${headers.host}`;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ issuer, authorization_endpoint: `${issuer}/${place}` }));
  });
  const { config } = api.worker;
  const client = createOidcClient({ ...config, oidcIssuer }) as OidcClient;
  const sentTo = async () => new URL((await client.begin(undefined)).url).pathname;
  expect(await sentTo()).toBe('/first');
  place = 'second';
  expect(await sentTo()).toBe('/first');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + OIDC_PROVIDER_MS + 1 });
  onTestFinished(() => void vi.useRealTimers());
  expect(await sentTo()).toBe('/second');
});

test('two tabs sign in at once, and neither takes the other one’s way back', async () => {
  const subject = subjectOf(await emailOf(await addPerson(api, 'owner')), true);
  const first = await authorize(subject);
  const second = await authorize(subject, api, first.flows);
  for (const { callback } of [first, second]) expect((await finish(callback, second.flows)).location).toBe('/');
});

test('a HEAD signs nobody in: it may be a preview of the link', async () => {
  const subject = subjectOf(await emailOf(await addPerson(api, 'owner')), true);
  const { callback, flows } = await authorize(subject);
  const head = await fetch(callback, { method: 'HEAD', redirect: 'manual', headers: cookies(flows) });
  expect(head.status).toBe(404);
  expect((await finish(callback, flows)).location).toBe('/');
});

/** The provider of the tests reads the claims from the subject. */
function subjectOf(email: string, verified: boolean): string {
  return `${verified ? 'verified' : 'unverified'}:${email}`;
}

async function emailOf(person: Person): Promise<string> {
  return (await person.get<{ user: { email: string } }>('/api/v1/me')).body.user.email;
}

/** As a browser: to the provider, through its pages, and back. */
async function signIn(subject: string, at = api) {
  const { callback, flows } = await authorize(subject, at);
  return finish(callback, flows);
}

/** `before`: the cookie that the browser has from another tab. */
async function authorize(subject: string, at = api, before?: string): Promise<{ callback: string; flows: string }> {
  const start = await fetch(`${at.url}/oidc/start`, { redirect: 'manual', headers: cookies(before) });
  expect(start.status).toBe(302);
  const flows = cookieOf(start, 'tardigrade_oidc') as string;
  let next = start.headers.get('location') as string;
  const issuer = new URL(next).origin;
  expect(new URL(next).searchParams.get('code_challenge_method')).toBe('S256');
  const jar = new Map<string, string>();
  while (!next.startsWith(at.url)) {
    const url = new URL(next, issuer);
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '), 'x-subject': subject },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null)
      throw new Error(`${answer.status} at ${url.pathname}: ${(await answer.text()).slice(0, 300)}`);
    next = location;
  }
  return { callback: next, flows };
}

async function finish(callback: string, flows: string | undefined) {
  const answer = await fetch(callback, { redirect: 'manual', headers: cookies(flows) });
  return { location: answer.headers.get('location'), token: cookieOf(answer, 'tardigrade_session') };
}

function cookies(flows: string | undefined): Record<string, string> {
  return flows === undefined ? {} : { cookie: `tardigrade_oidc=${flows}` };
}

function cookieOf(answer: Response, name: string): string | undefined {
  const line = answer.headers.getSetCookie().find((one) => one.startsWith(`${name}=`));
  return /=([^;]+)/.exec(line ?? '')?.[1];
}

/** A real provider; whoever sends `x-subject` is signed in as that, and has agreed to everything. */
async function startProvider(port: number, redirectUri: string, own: Partial<Settings>): Promise<Server> {
  const oidc = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: 'tardigrade', client_secret: SECRET, redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: ['a key of the tests'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: async () => ({ sub, email: sub.split(':')[1], email_verified: sub.startsWith('verified:') }),
    }),
    async loadExistingGrant(context) {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client?.clientId as string,
        accountId: context.oidc.session?.accountId as string,
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
    ...own,
  });
  const answer = oidc.callback();
  const server = createServer(async (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void answer(request, response);
    const accountId = String(request.headers['x-subject']);
    await oidc.interactionFinished(request, response, { login: { accountId } });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Its address; until the test ends. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
