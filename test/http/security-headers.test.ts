import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HEADER_BYTES_MAX, HEADERS_MAX, REQUESTS_IN_FLIGHT_MAX } from '../../src/limits.ts';
import { until } from '../database.ts';
import { TEST_MODULES } from '../modules.ts';
import { type RunningApi, rawRequest, runApi } from '../running-api.ts';
import { head } from './dripping.ts';
import { createGatedModule } from './gated-module.ts';

const gated = createGatedModule();
let api: RunningApi;
beforeAll(async () => {
  api = await runApi({ API_URL: 'https://service.example' }, [...TEST_MODULES, gated.module]);
});
afterAll(() => api.stop());

const url = () => `http://127.0.0.1:${api.worker.config.apiPort}`;
const OF_DATA = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
};
const OF_PROBLEMS = {
  ...OF_DATA,
  'content-type': expect.stringMatching(/^application\/problem\+json/),
  'cache-control': 'no-store',
};

test.each([
  ['/', '*/*'],
  ['/assets/app.js', '*/*'],
  ['/nowhere', 'text/html'],
  ['/livez', '*/*'],
])('%s has the headers that keep browsers safe', async (path, accept) => {
  const { headers } = await fetch(url() + path, { headers: { accept } });
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
});

test('an answer of the API is data: a browser that shows it loads nothing for it', async () => {
  const { token } = await api.newOwner();
  const { status, headers } = await fetch(`${url()}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(status).toBe(200);
  expect(Object.fromEntries(headers)).toMatchObject(OF_DATA);
});

const refused = (line: string, headers: Record<string, string> = {}) => head(line, { connection: 'close', ...headers });
const manyHeaders = Object.fromEntries(Array.from({ length: HEADERS_MAX }, (_, n) => [`x-${n}`, '1']));

/** Each is made at another place in the code. */
test.each([
  ['by a route', 401, refused('GET /api/v1/me')],
  ['by a route whose path is written in another way', 401, refused('GET /%61pi/v1/me')],
  ['as there is nothing', 404, refused('GET /api/v1/nowhere')],
  ['as there is nothing outside of the API', 404, refused('GET /nowhere')],
  ['as its path cannot be decoded', 400, refused('GET /api/v1/%zz')],
  ['as a path outside of the API cannot be decoded', 400, refused('GET /%zz')],
  ['for its host', 400, refused('GET /api/v1/me', { host: 'x y' })],
  ['for too many headers', 431, refused('GET /api/v1/me', manyHeaders)],
  ['for headers that are too long', 431, refused('GET /api/v1/me', { cookie: 'x'.repeat(HEADER_BYTES_MAX) })],
  ['as it cannot be read', 400, 'This is not HTTP\r\n\r\n'],
  ['as it wants a tunnel', 404, refused('CONNECT example.com:443')],
])('a request that is refused %s gets data, too, which nobody keeps', async (_why, status, request) => {
  expect(parse(await rawRequest(url(), request))).toMatchObject({ status, headers: OF_PROBLEMS });
});

test.each(['/api/v1/me', '/'])('so does one of %s that comes when all places are taken', async (path) => {
  const { token } = await api.newOwner();
  const auth = { authorization: `Bearer ${token}` };
  expect((await fetch(`${url()}/api/v1/me`, { headers: auth })).status).toBe(200);
  const held = Array.from({ length: REQUESTS_IN_FLIGHT_MAX }, () => send(head('GET /api/v1/gated', auth)));
  await until('all places are taken', () => api.gauge('requests_in_flight') === REQUESTS_IN_FLIGHT_MAX);
  const answer = parse(await rawRequest(url(), refused(`GET ${path}`)));
  expect(answer).toMatchObject({ status: 503, headers: OF_PROBLEMS });
  expect(answer.headers).not.toHaveProperty('cross-origin-opener-policy');
  gated.open();
  for (const socket of held) socket.destroy();
  await until('nothing is in flight', () => api.gauge('requests_in_flight') === 0);
});

function send(request: string): Socket {
  const socket = connect(api.worker.config.apiPort, '127.0.0.1');
  socket
    .on('error', () => undefined)
    .resume()
    .write(request);
  return socket;
}

function parse(answer: string) {
  const [first = '', ...lines] = (answer.split('\r\n\r\n')[0] as string).split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(': ')));
  return { status: Number(first.split(' ')[1]), headers };
}
