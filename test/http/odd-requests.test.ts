import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiClient } from '../api-client.ts';
import { type RunningApi, rawRequest, runApi } from '../running-api.ts';

/** What HTTP allows, or forbids, and Node or a framework answers in its own way. */
let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
});
afterAll(() => api.stop());

const CLOSE = 'connection: close\r\n';
const JSON_BODY = 'content-type: application/json\r\ncontent-length: 2\r\n';
/** Status lines, 100 Continue included, and the problem. */
async function answerTo(line: string, headers: string, body = '') {
  const text = await rawRequest(api.url, `${line}\r\n${headers}\r\n${body}`);
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
  const [, problem = '{}'] = /(\{.*\})[^}]*$/s.exec(text) ?? [];
  return { statuses, type: /content-type: ([^;\r]*)/.exec(text)?.[1], problem: JSON.parse(problem) };
}

describe('a request without one valid host is refused in the form of all refusals', () => {
  test.each([
    ['none', ''],
    ['two', 'host: x\r\nhost: y\r\n'],
    ['the same twice', 'host: x\r\nhost: x\r\n'],
    ['with a space', 'host: x y\r\n'],
    ['with a path', 'host: x/api\r\n'],
    ['with a user', 'host: somebody@x\r\n'],
    ['with a letter for a port', 'host: x:http\r\n'],
  ])('%s', async (_, host) => {
    const { statuses, type, problem } = await answerTo('GET /api/v1/me HTTP/1.1', host + CLOSE);
    expect({ statuses, type }).toEqual({ statuses: [400], type: 'application/problem+json' });
    expect(problem).toMatchObject({ code: 'invalid', detail: 'The request must have one valid Host header.' });
  });

  test.each([
    ['a name and a port', 'HTTP/1.1', 'host: api.example.com:8080\r\n'],
    ['an IPv6 address', 'HTTP/1.1', 'host: [::1]:3000\r\n'],
    ['a name in Docker', 'HTTP/1.1', 'host: my_service\r\n'],
    ['none in HTTP/1.0', 'HTTP/1.0', ''],
  ])('%s is fine', async (_, version, host) => {
    expect((await answerTo(`GET /livez ${version}`, host + CLOSE)).statuses).toEqual([200]);
  });
});

test('somebody who takes us for a proxy is told that we are not one', async () => {
  for (const body of ['', 'content-length: 3\r\n\r\nabc']) {
    const { statuses, type } = await answerTo('CONNECT example.com:443 HTTP/1.1', `host: example.com:443\r\n${body}`);
    expect({ statuses, type }).toEqual({ statuses: [404], type: 'application/problem+json' });
  }
  expect((await fetch(`${api.url}/livez`)).status).toBe(200);
});

test('an expectation that nobody knows is ignored, and only HTTP/1.1 is told to continue', async () => {
  const sent = (version: string, expectation: string) =>
    answerTo(`POST /api/v1/sessions ${version}`, `host: x\r\nexpect: ${expectation}\r\n${JSON_BODY}${CLOSE}`, '{}');
  expect((await sent('HTTP/1.1', '200-ok')).statuses).toEqual([400]);
  expect((await sent('HTTP/1.1', '100-Continue')).statuses.at(-1)).toBe(400);
  expect((await sent('HTTP/1.0', '100-continue')).statuses).toEqual([400]);
});

test('a body that is compressed is refused as such, and not read as garbage', async () => {
  const [auth, type] = [`authorization: Bearer ${owner.token}\r\n`, 'content-type: application/json\r\n'];
  for (const [coding, body] of [
    ['content-encoding: gzip\r\ncontent-length: 2\r\n', '{}'],
    ['content-encoding: br, gzip\r\ncontent-length: 2\r\n', '{}'],
    ['transfer-encoding: gzip, chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'],
  ] as const) {
    const headers = `host: x\r\n${auth}${type}${coding}${CLOSE}`;
    const { statuses, problem } = await answerTo('POST /api/v1/notes HTTP/1.1', headers, body);
    expect(statuses, coding).toEqual([415]);
    expect(problem.detail).toContain('without compression');
    const deleted = await answerTo('DELETE /api/v1/sessions/1 HTTP/1.1', headers, body);
    expect(deleted.statuses, `DELETE ${coding}`).toEqual([415]);
  }
  const headers = { 'content-type': 'application/json', 'content-encoding': 'identity' };
  expect((await owner.send('POST', '/api/v1/notes', { title: 'As it is' }, headers)).status).toBe(201);
});

test('the scheme of an Authorization header is read in any case', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer '])
    expect(
      (await fetch(`${api.url}/api/v1/me`, { headers: { authorization: `${scheme} ${owner.token}` } })).status,
      scheme,
    ).toBe(200);
});

test.each(['/', '/assets/tardigrade.svg', '/docs', '/livez', '/api/v1/me'])(
  '%s is also found where clients of proxies and escapes put it',
  async (path) => {
    const headers = `host: x\r\nauthorization: Bearer ${owner.token}\r\n${CLOSE}`;
    const last = path.at(-1) === '/' ? path : `${path.slice(0, -1)}%${path.charCodeAt(path.length - 1).toString(16)}`;
    for (const target of [path, `http://x${path}`, `${path}?a=b`, last])
      expect((await answerTo(`GET ${target} HTTP/1.1`, headers)).statuses, target).toEqual([200]);
  },
);
