import getPort from 'get-port';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { BODY_BYTES_MAX, RETRY_AFTER_SECONDS } from '../../src/limits.ts';
import { type ApiClient, call, registerClient } from '../api-client.ts';
import { type RunningApi, rawRequest, runApi } from '../running-api.ts';
import { createTcpGate, type TcpGate } from '../tcp-gate.ts';

interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: { path: string; message: string }[];
}

const DRAFT = { name: 'Weekly', subject: 'Hello', body: 'Hello {{name}}' };

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.register();
});
afterAll(() => api.stop());

const post = (body: unknown) => owner.send<Problem>('POST', '/api/campaigns', body);

test('a field that is not valid is named', async () => {
  const tooLong = await post({ ...DRAFT, name: 'x'.repeat(200) });
  expect(tooLong).toMatchObject({ status: 400, body: { code: 'invalid', title: 'Not valid' } });
  expect(tooLong.headers.get('content-type')).toContain('application/problem+json');
  expect(tooLong.body.errors).toEqual([{ path: 'body/name', message: expect.stringContaining('120') }]);
  const nested = await post({ ...DRAFT, questions: ['Fine?', ''] });
  expect(nested.body.errors?.[0]?.path).toBe('body/questions/1');
});

test('a field that is missing, and one that nobody reads, are named as well', async () => {
  const missing = await post({ name: 'Weekly', body: 'Hello' });
  expect(missing.body.errors?.[0]?.path).toBe('body/subject');
  const unknown = await post({ ...DRAFT, colour: 'red' });
  expect(unknown.body.errors?.[0]?.path).toBe('body/colour');
});

test('parameters of the address and of the query are named with their place', async () => {
  const id = await owner.get<Problem>('/api/campaigns/abc');
  expect(id).toMatchObject({ status: 400, body: { errors: [{ path: 'params/id' }] } });
  const limit = await owner.get<Problem>('/api/campaigns?limit=201');
  expect(limit).toMatchObject({ status: 400, body: { errors: [{ path: 'querystring/limit' }] } });
});

test.each(['/nowhere', '/api/nowhere', '/assets/nowhere.js'])('nothing is at %s, and that is said', async (path) => {
  const answer = await owner.get<Problem>(`${path}?secret=1`);
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({ code: 'not_found', detail: `There is nothing at GET ${path}.` });
});

test('a method that an address does not know is a 404, not a crash', async () => {
  expect((await owner.send('DELETE', '/api/employees')).status).toBe(404);
});

test.each([
  ['{"name": ', 'half of a JSON text'],
  ['', 'nothing'],
  ['name=Weekly', 'a form'],
])('a body that is no JSON (%s) is refused in words', async (text) => {
  const answer = await owner.send<Problem>('POST', '/api/campaigns', text, { 'content-type': 'application/json' });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid', status: 400 } });
});

test('a body of another type is a 415', async () => {
  const answer = await owner.send<Problem>('POST', '/api/campaigns', '<a/>', { 'content-type': 'application/xml' });
  expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported' } });
});

test('a body that is too large is a 413', async () => {
  const answer = await post({ ...DRAFT, body: 'x'.repeat(BODY_BYTES_MAX) });
  expect(answer).toMatchObject({ status: 413, body: { code: 'too_large' } });
});

test('an address that cannot be decoded is a 400 in the same form', async () => {
  const answer = await rawRequest(api.url, 'GET /api/campaigns/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(answer).toContain('application/problem+json');
  expect(answer).toContain('"code":"invalid"');
});

test('a text that the database cannot hold is a 400, wherever it comes in', async () => {
  for (const answer of [
    await post({ ...DRAFT, name: 'a\0b' }),
    await post({ ...DRAFT, questions: ['a\0b'] }),
    await owner.get<Problem>('/api/employees?search=a%00b'),
  ]) {
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } });
  }
});

test('an error that nobody foresaw gives nothing of the inside away', async () => {
  await sql`alter table imports rename to imports_gone`.execute(api.database.db);
  const answer = await owner.send<Problem>('POST', '/api/imports', { fileName: 'a.csv' });
  await sql`alter table imports_gone rename to imports`.execute(api.database.db);
  expect(answer).toMatchObject({ status: 500 });
  expect(answer.body).toEqual({
    type: 'about:blank',
    title: 'Our fault',
    status: 500,
    detail: 'Something went wrong on our side. It has been noted.',
    code: 'internal',
  });
  expect((await owner.send('POST', '/api/imports', { fileName: 'a.csv' })).status).toBe(201);
});

test('while the database is away everybody is told to come back, and then let in', async () => {
  let gate!: TcpGate;
  const behind = await runApi(async (database) => {
    gate = await createTcpGate(new URL(database.url), await getPort());
    const primary = new URL(database.url);
    primary.port = String(gate.port);
    return { DATABASE_URL: primary.href };
  });
  onTestFinished(() => behind.stop());
  const person = await registerClient(behind.url);
  await gate.shut();
  const refused = await person.send<Problem>('POST', '/api/campaigns', DRAFT);
  expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded' } });
  expect(refused.body.detail).toMatch(/^The database is away/);
  expect(refused.headers.get('retry-after')).toBe(String(RETRY_AFTER_SECONDS));
  await gate.open();
  onTestFinished(() => gate.shut());
  expect((await person.send('POST', '/api/campaigns', DRAFT)).status).toBe(201);
});

test('even without a session the answer to a broken request is a problem in words', async () => {
  const answer = await call<Problem>(api.url, 'POST', '/api/sessions', {
    headers: {},
    body: { email: 'x', password: 'y' },
  });
  expect(answer.body.errors).toEqual([{ path: 'body/email', message: expect.any(String) }]);
});
