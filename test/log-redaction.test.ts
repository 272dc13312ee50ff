import { inspect } from 'node:util';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createLog } from '../src/log.ts';
import { openQueue } from '../src/queue/queues.ts';
import { openRedis } from '../src/redis/redis.ts';
import { call, createClient } from './api-client.ts';
import { createTestDatabase, type TestDatabase, until } from './database.ts';
import { LAUNCH, launch } from './process/launched.ts';
import { registerOrganisation } from './registration.ts';
import { testEnvironment, testRedisUrl } from './worker.ts';

/** Each is sent in a place of its own, and none of them may be in the log, whatever goes wrong. */
const CANARIES = {
  password: 'canary-of-the-password',
  text: 'canary-of-the-text',
  address: 'canary-of-the-address@example.test',
  token: 'canarytoken'.padEnd(43, 'x'),
  cookie: 'canarycookie'.padEnd(43, 'x'),
  key: 'canary-of-the-idempotency-key',
  path: 'canary-of-the-path',
  secretKey: 'canary4of7the2secret9key1f3a91c07d2e84b65',
} as const;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('no credential and no text of a user is in the log, at its most talkative, whatever fails', async () => {
  const environment: Record<string, string> = {
    ...(await testEnvironment(database)),
    LOG_LEVEL: 'trace',
    NODE_ENV: 'development',
    SECRET_KEY: CANARIES.secretKey,
    PATH: process.env['PATH'] ?? '',
  };
  const url = environment['API_URL'] as string;
  const launched = launch([LAUNCH, 'api'], environment);
  await until('it serves', () =>
    fetch(`${url}/livez`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );

  const { password, text, address, token, cookie, key, path } = CANARIES;
  const registration = { organisation: text, name: text, email: address, password };
  const registered = await registerOrganisation({ url, database, secretKey: CANARIES.secretKey }, registration);
  expect(registered.status).toBe(201);
  const owner = createClient(url, registered.body.token, registered.body.organisation.id);
  const note = { title: text, body: text };
  const headers = { 'idempotency-key': key };
  await call(url, 'POST', '/api/v1/sessions', { body: { email: address, password: `${password}!` }, headers: {} });
  await call(url, 'POST', '/api/v1/sessions', {
    body: `{"password":"${password}"`,
    headers: { 'content-type': 'application/json' },
  });
  await call(url, 'GET', '/api/v1/me', {
    headers: { authorization: `Bearer ${token}`, cookie: `tardigrade_session=${cookie}` },
  });
  await call(url, 'GET', `/${path}?token=${token}`, { headers: {} });
  await owner.send('POST', '/api/v1/notes', { ...note, [text]: text });
  await owner.send('POST', '/api/v1/notes', note, headers);
  // What the database says about a fault contains what it was given.
  await sql`alter table sessions rename to sessions_gone`.execute(database.db);
  await call(url, 'POST', '/api/v1/sessions', { body: { email: address, password }, headers: {} });
  await sql`alter table sessions_gone rename to sessions`.execute(database.db);
  await sql`alter table users add constraint refuse check (name <> ${sql.lit(text)}) not valid`.execute(database.db);
  const refused = await registerOrganisation(
    { url, database, secretKey: CANARIES.secretKey },
    { ...registration, email: `second-${address}` },
  );
  expect(refused.status).toBe(500);
  await sql`alter table users drop constraint refuse`.execute(database.db);

  await until('the faults are in the log', () => launched.output().split('request failed').length > 2);
  const log = launched.output();
  expect(log).toContain('started');
  const secrets = [...Object.values(CANARIES), registered.body.token];
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
});

/** What a log at its most talkative has written. */
function createWrittenLog() {
  const lines: string[] = [];
  const log = createLog('test', 'trace', { write: (line) => void lines.push(line) });
  return { log, lines };
}

test('a password that Redis refuses is neither in the log nor on the console', async () => {
  const printed: unknown[] = [];
  const spy = vi.spyOn(console, 'error').mockImplementation((...words) => void printed.push(...words));
  onTestFinished(() => spy.mockRestore());
  const { log, lines } = createWrittenLog();
  const url = new URL(testRedisUrl());
  url.password = CANARIES.password;
  const redis = await openRedis(url.href, log, { wait: false });
  const queue = openQueue('refused', redis);
  onTestFinished(async () => {
    redis.disconnect();
    await queue.close().catch(() => undefined);
  });
  await until('it is refused again', () => lines.filter((line) => line.includes('WRONGPASS')).length > 1);
  expect(lines.filter((line) => line.includes(CANARIES.password))).toEqual([]);
  expect(inspect(printed, { depth: 9 })).toBe('[]');
});

test('of an error the log has its kind, its words and its code, and nothing of what it was about', () => {
  const { log, lines } = createWrittenLog();
  const { address, text } = CANARIES;
  const inner = Object.assign(new Error('refused'), { code: 'EENVELOPE', rejected: [address] });
  const outer = Object.assign(new Error('failed', { cause: inner }), { code: '23505', detail: text, inner });
  log.error({ err: outer }, 'one');
  log.error({ err: new AggregateError([outer], 'several') }, 'many');
  log.error(outer);
  expect(lines.filter((line) => line.includes(text) || line.includes(address))).toEqual([]);
  const [one, many, bare] = lines.map((line) => JSON.parse(line).err);
  expect(one).toMatchObject({ type: 'Error', message: 'failed: refused', code: '23505' });
  expect(one.stack).toContain('caused by: Error: refused');
  expect(many.aggregateErrors).toEqual([expect.objectContaining({ message: 'failed: refused', code: '23505' })]);
  expect(bare).toEqual(one);
});
