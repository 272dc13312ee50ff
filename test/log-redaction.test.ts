import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, createClient } from './api-client.ts';
import { createTestDatabase, type TestDatabase, until } from './database.ts';
import { LAUNCH, launch } from './process/launched.ts';
import { registerOrganisation } from './registration.ts';
import { testEnvironment } from './worker.ts';

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
