import { STATUS_CODES } from 'node:http';
import type { FastifyError } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { AppError, ERROR_STATUS, type ErrorCode } from '../../src/errors.ts';
import { toProblem } from '../../src/http/problem-details.ts';
import { PROBLEM_WORDS } from '../../src/http/problem-pages.ts';
import { BODY_BYTES_MAX, RETRY_AFTER_SECONDS } from '../../src/limits.ts';
import { type ApiClient, call } from '../api-client.ts';
import { registerClient } from '../registration.ts';
import { type RunningApi, rawRequest, runApi } from '../running-api.ts';
import { createTcpGate, type TcpGate } from '../tcp-gate.ts';

interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: { path: string; message: string }[];
}

const NOTE = { title: 'Weekly', body: 'Hello' };

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.register();
});
afterAll(() => api.stop());

const post = (body: unknown) => owner.send<Problem>('POST', '/api/v1/notes', body);

test('a field that is not valid is named, however deep it is', async () => {
  const tooLong = await post({ ...NOTE, title: 'x'.repeat(201) });
  expect(tooLong).toMatchObject({ status: 400, body: { code: 'invalid', title: 'Bad Request' } });
  expect(tooLong.headers.get('content-type')).toContain('application/problem+json');
  expect(tooLong.body.errors).toEqual([{ path: 'body/title', message: expect.stringContaining('200') }]);
  const nested = toProblem({
    validationContext: 'body',
    validation: [{ instancePath: '/lines/1', params: { missingProperty: 'text' }, message: 'is missing' }],
  } as unknown as FastifyError);
  expect(nested.errors).toEqual([{ path: 'body/lines/1/text', message: 'is missing' }]);
});

test('a value that is none of a few is told all of them, once', async () => {
  const refused = await owner.send<Problem>('POST', '/api/v1/invitations', { email: 'ada@example.test', role: 'root' });
  const message = 'must be one of "owner", "admin", "viewer"';
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: 'body/role', message }] } });
  expect(refused.body.detail).toBe(`The body is not valid: body/role ${message}`);
});

test.each([
  'application/x-www-form-urlencoded',
  'garbage',
  'text/csv, text/plain',
  'text/plain',
  'text/plain; charset=utf-8',
])('a body that says it is %s is refused in words', async (type) => {
  const headers = { 'content-type': type };
  const refused = await owner.send<Problem>('POST', '/api/v1/notes', 'title=Weekly', headers);
  expect(refused).toMatchObject({ status: 415, body: { code: 'unsupported' } });
  expect(refused.body.detail).toContain('is not read here');
});

test('a missing field and an unknown one are named as well', async () => {
  const missing = await post({ body: 'Hello' });
  expect(missing.body.errors?.[0]?.path).toBe('body/title');
  const unknown = await post({ ...NOTE, colour: 'red' });
  expect(unknown.body.errors?.[0]?.path).toBe('body/colour');
});

test('a parameter of the path or of the query is named with its place', async () => {
  const id = await owner.get<Problem>('/api/v1/notes/abc');
  expect(id).toMatchObject({ status: 400, body: { errors: [{ path: 'params/id' }] } });
  const limit = await owner.get<Problem>('/api/v1/notes?limit=201');
  expect(limit).toMatchObject({ status: 400, body: { errors: [{ path: 'querystring/limit' }] } });
});

test.each(['/nowhere', '/api/v1/nowhere', '/assets/nowhere.js'])(
  'an unknown path is a 404 that names it: %s',
  async (path) => {
    const answer = await owner.get<Problem>(`${path}?secret=1`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'not_found', detail: `There is nothing at GET ${path}.` });
  },
);

test('an unknown method is a 404, not a crash', async () => {
  expect((await owner.send('DELETE', '/api/v1/notes')).status).toBe(404);
});

test.each([
  ['{"name": ', 'half of a JSON text'],
  ['', 'nothing'],
  ['title=Weekly', 'a form'],
])('a body that is not JSON is refused with a problem document: %s', async (text) => {
  const answer = await owner.send<Problem>('POST', '/api/v1/notes', text, { 'content-type': 'application/json' });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid', status: 400 } });
});

test('a body of another type is a 415', async () => {
  const answer = await owner.send<Problem>('POST', '/api/v1/notes', '<a/>', { 'content-type': 'application/xml' });
  expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported' } });
});

test('a body that is too large is a 413, which says how large it may be', async () => {
  const answer = await post({ ...NOTE, body: 'x'.repeat(BODY_BYTES_MAX) });
  const detail = `The body is larger than ${BODY_BYTES_MAX / 1024} kB, which is the most that is read here.`;
  expect(answer).toMatchObject({ status: 413, body: { code: 'too_large', detail } });
});

test('a path that cannot be decoded is a 400 in the same form', async () => {
  const answer = await rawRequest(api.url, 'GET /api/v1/notes/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(answer).toContain('application/problem+json');
  expect(answer).toContain('"code":"invalid"');
});

test('a parameter that is longer than any is a 400, not a fault of ours', async () => {
  const answer = await owner.get<Problem>(`/api/v1/notes/${'x'.repeat(3_000)}`);
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } });
});

test('a text that the database cannot hold is a 400', async () => {
  for (const text of [{ title: 'a\0b' }, { ...NOTE, body: 'a\0b' }]) {
    const refused = await post(text);
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid', title: 'Bad Request' } });
    expect(refused.body.detail).toContain('NUL');
  }
});

test('an unexpected error reveals nothing about the inside', async () => {
  await sql`alter table notes rename to notes_gone`.execute(api.database.db);
  const answer = await post(NOTE);
  await sql`alter table notes_gone rename to notes`.execute(api.database.db);
  expect(answer).toMatchObject({ status: 500 });
  expect(answer.body).toEqual({
    type: '/problems/internal',
    title: 'Internal Server Error',
    status: 500,
    detail: 'Something went wrong on our side. It has been noted.',
    code: 'internal',
  });
  expect((await post(NOTE)).status).toBe(201);
});

test('while the database is away every caller is told to come back, and is answered afterwards', async () => {
  let gate!: TcpGate;
  const behind = await runApi(async (database) => {
    gate = await createTcpGate(new URL(database.url), await freePort());
    const primary = new URL(database.url);
    primary.port = String(gate.port);
    return { DATABASE_URL: primary.href };
  });
  onTestFinished(() => behind.stop());
  const person = await registerClient(behind);
  await gate.shut();
  const refused = await person.send<Problem>('POST', '/api/v1/notes', NOTE);
  expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded' } });
  expect(refused.body.detail).toMatch(/^The database is away/);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS);
  await gate.open();
  onTestFinished(() => gate.shut());
  expect((await person.send('POST', '/api/v1/notes', NOTE)).status).toBe(201);
});

test('a caller who is not signed in gets problem documents as well', async () => {
  const answer = await call<Problem>(api.url, 'POST', '/api/v1/sessions', {
    headers: {},
    body: { email: '', password: 'y' },
  });
  expect(answer.body.errors).toEqual([{ path: 'body/email', message: expect.any(String) }]);
});

test.each(Object.entries(ERROR_STATUS))('%s is a %i with the standard reason phrase as its title', (code, status) => {
  const title = STATUS_CODES[status];
  expect(title).toMatch(/^[A-Z][\w ]+$/);
  const problem = toProblem(new AppError(code as ErrorCode, 'Because.'));
  expect(problem).toEqual({ type: `/problems/${code}`, title, status, detail: 'Because.', code });
});

test.each(Object.keys(ERROR_STATUS))('the type %s leads to a page that says what to do', async (code) => {
  const { type } = toProblem(new AppError(code as ErrorCode, 'Because.'));
  const page = await fetch(new URL(type, api.url));
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  const { means, remedy } = PROBLEM_WORDS[code as ErrorCode];
  const text = (await page.text()).replace(/<\/?code>/g, '`');
  for (const words of [means, remedy]) expect(text).toContain(words);
});

test.each([
  ['57014', 'a statement that took too long', /took too long/],
  ['55P03', 'a lock that somebody holds', /changing the same data/],
  ['40001', 'a transaction that collided each time', /changing the same data/],
  ['40P01', 'a deadlock each time', /changing the same data/],
  ['53300', 'no connection left', /no room/],
  ['53100', 'a full disk', /no room/],
])('%s, %s, is not a fault of ours: 503, and when to come back', (code, _, detail) => {
  const error = Object.assign(new Error('as PostgreSQL says it'), { code }) as unknown as FastifyError;
  expect(toProblem(error)).toMatchObject({ status: 503, code: 'overloaded', detail: expect.stringMatching(detail) });
});
