import { afterAll, beforeAll, expect, test } from 'vitest';
import { HEADER_BYTES_MAX, HEADERS_MAX, JSON_DEPTH_MAX, JSON_ITEMS_MAX } from '../../src/limits.ts';
import type { ApiClient } from '../api-client.ts';
import { type RunningApi, rawRequest, runApi } from '../running-api.ts';

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
});
afterAll(() => api.stop());

const send = (body: string | Uint8Array, type = 'application/json') =>
  owner.send<{ code: string; detail: string }>('POST', '/api/v1/notes', body, { 'content-type': type });
const nested = (depth: number) => `{"title":"Weekly","body":${'['.repeat(depth)}${']'.repeat(depth)}}`;

test('a body is nested as deep as the limit, and no deeper', async () => {
  expect((await send(nested(JSON_DEPTH_MAX - 1))).body.detail).not.toContain('levels');
  for (const depth of [JSON_DEPTH_MAX + 1, 20_000]) {
    const refused = await send(nested(depth));
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect(refused.body.detail).toContain(`${JSON_DEPTH_MAX} levels`);
  }
});

test.each([
  '/api/v1/notes/1e309',
  '/api/v1/notes/Infinity',
  '/api/v1/notes?limit=Infinity',
  '/api/v1/notes?limit=-1e309',
])('an infinite number is refused: %s', async (path) => {
  expect(await owner.get(path)).toMatchObject({ status: 400, body: { code: 'invalid' } });
});

test.each(['0x10', '1e1', '16.0', '016', '%2016', '+16', '', 'true', '١٦'])(
  'a number in a query is written with digits, and nothing else is read as one: limit=%s',
  async (limit) => {
    expect(await owner.get(`/api/v1/notes?limit=${limit}`)).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect((await owner.get('/api/v1/notes?limit=16')).status).toBe(200);
  },
);

test('so is one in a body', async () => {
  expect(await send('{"title":1e309}')).toMatchObject({ status: 400, body: { detail: 'A number is too large.' } });
});

test.each([
  '{"title":"One","title":"Two","body":"x"}',
  '{"title":"One","t\\u0069tle":"Two","body":"x"}',
  '[{"a":{"b":1,"b":1}}]',
])('a field that is there twice is refused, because a proxy in front may have read the other one: %s', async (body) => {
  const refused = await send(body);
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid' } });
  expect(refused.body.detail).toContain('twice');
});

test('colons in a text are no fields', async () => {
  const body = { title: 'At 10:30: "a":1,"a":2', body: '\\":":"' };
  expect((await send(JSON.stringify(body, undefined, 2))).status).toBe(201);
});

test('brackets in a text are not levels', async () => {
  const title = `a "quote" \\ and ${'[{'.repeat(30)}`;
  expect((await send(JSON.stringify({ title, body: 'x' }))).status).toBe(201);
});

test('a hundred thousand brackets take no time', async () => {
  const before = process.cpuUsage(); // of the api, which runs in this process: a busy machine does not count
  expect((await send('['.repeat(100_000))).status).toBe(400);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(1_000);
});

test.each([
  ['list', JSON.stringify({ title: 'Weekly', body: Array.from({ length: JSON_ITEMS_MAX + 1 }, () => 1) })],
  [
    'object',
    JSON.stringify(Object.fromEntries(Array.from({ length: JSON_ITEMS_MAX + 1 }, (_, n) => [`field${n}`, n]))),
  ],
])('a %s in a body has a bound', async (_, body) => {
  const refused = await send(body);
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid' } });
  expect(refused.body.detail).toContain(String(JSON_ITEMS_MAX));
});

test('JSON in another charset than UTF-8 is refused, not misread', async () => {
  const body = JSON.stringify({ title: 'Weekly' });
  for (const charset of ['utf-8', 'UTF8', '"utf-8"', 'us-ascii'])
    expect((await send(body, `application/json; charset=${charset}`)).status).toBe(201);
  for (const charset of ['iso-8859-1', 'utf-16le'])
    expect(await send(body, `application/json; charset=${charset}`)).toMatchObject({
      status: 415,
      body: { code: 'unsupported' },
    });
});

test('bytes that are not UTF-8 are refused, not replaced', async () => {
  const refused = await send(Buffer.from('{"title":"Zo\xeb"}', 'latin1'));
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid', detail: expect.stringContaining('UTF-8') } });
});

test('a request has as many headers as the limit', async () => {
  const ask = (count: number) => {
    const headers = Array.from({ length: count - 2 }, (_, n) => `x-${n}: 1\r\n`).join('');
    return rawRequest(api.url, `GET /api/v1/me HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}\r\n`);
  };
  expect(await ask(HEADERS_MAX)).toMatch(/^HTTP\/1\.1 401 /);
  const refused = await ask(HEADERS_MAX + 1);
  expect(refused).toMatch(/^HTTP\/1\.1 431 /);
  expect(refused).toContain('"code":"headers_too_large"');
});

test('what comes behind too many headers is not taken for another request, whatever they say of it', async () => {
  const many = Array.from({ length: 3 * HEADERS_MAX }, (_, n) => `x-${n}: 1\r\n`).join('');
  const body = 'GET /api/v1/me HTTP/1.1\r\nhost: a\r\n\r\n';
  for (const last of [
    `content-length: ${body.length}`,
    'transfer-encoding: chunked',
    `authorization: ${body.length}`,
  ]) {
    const answer = await rawRequest(api.url, `POST /api/v1/me HTTP/1.1\r\nhost: a\r\n${many}${last}\r\n\r\n${body}`);
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 431']);
    expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
    expect(answer.toLowerCase()).not.toContain('retry-after');
  }
});

test.each([
  [
    'headers that are too long',
    `GET / HTTP/1.1\r\nx: ${'y'.repeat(HEADER_BYTES_MAX)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  ['bytes that are not HTTP', 'hello\r\n\r\n', 400, 'invalid'],
])('%s are answered with a problem document, too', async (_, text, status, code) => {
  const answer = await rawRequest(api.url, text);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).toContain('application/problem+json');
  expect(answer).toContain(`"code":"${code}"`);
});
