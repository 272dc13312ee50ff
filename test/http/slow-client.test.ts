import { type AddressInfo, connect } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FastifyInstance, fastify } from 'fastify';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { isServerAway } from '../../src/db/deadlock-retry.ts';
import type { App } from '../../src/http/app.ts';
import { limitSlowBodies } from '../../src/http/slow-client.ts';
import {
  BODIES_ARRIVING_MAX,
  BODY_PIECES_AT_EASE,
  PIPELINED_REQUESTS_MAX,
  PUBLIC_BODY_BYTES_MAX,
  REQUEST_MS,
  REQUESTS_IN_FLIGHT_MAX,
  UPLOAD_WINDOW_BYTES_MIN,
  UPLOAD_WINDOW_MS,
} from '../../src/limits.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import type { ApiClient } from '../api-client.ts';
import { until } from '../database.ts';
import { type RunningApi, rawRequest, runApi } from '../running-api.ts';
import { drip, head } from './dripping.ts';

/** As in production, unless a test is about many bodies, which a busy machine may take long to bring together, or about time. */
const times = vi.hoisted(() => ({ bodyMs: 0 }));
vi.mock('../../src/limits.ts', async (original) => {
  const limits = await original<typeof import('../../src/limits.ts')>();
  return Object.defineProperty({ ...limits, REQUEST_MS: 60_000 }, 'BODY_MS', {
    get: () => times.bodyMs || limits.BODY_MS,
  });
});
function giveBodies(ms: number): void {
  times.bodyMs = ms;
  onTestFinished(() => void Object.assign(times, { bodyMs: 0 }));
}

const CHUNKED = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
const JSON_BODY = { 'content-type': 'application/json', 'content-length': '120' };
/** More than there are places, so that a kind of request that holds one would be seen. */
const MANY = REQUESTS_IN_FLIGHT_MAX + 20;

const SENDERS = { isRecognised: () => true, senderOf: () => 'one' };

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
});
afterAll(() => api.stop());

describe('bystanders are served while many connections send', () => {
  test.each([
    ['sign-ins whose body drips', head('POST /api/v1/sessions', JSON_BODY), '{'],
    ['registrations whose body drips', head('POST /api/v1/registrations', JSON_BODY), '{'],
    [
      'a page for people without an account, posted',
      head('POST /u/abc', { 'content-type': 'text/plain', 'content-length': '50' }),
      'x',
    ],
    ['bodies for a path that does not exist', head('POST /api/v1/nowhere', JSON_BODY), '{'],
    ['bodies for a page', head('PUT /', JSON_BODY), '{'],
    ['bodies without a session', head('POST /api/v1/notes', JSON_BODY), '{'],
    ['a DELETE with a body', head('DELETE /api/v1/sessions/current', JSON_BODY), '{'],
    ['a HEAD that promises a body', head('HEAD /api/v1/nowhere', { 'content-length': '100' }), ''],
    ['an OPTIONS that promises a body', head('OPTIONS /api/v1/notes', JSON_BODY), '{'],
    ['an OPTIONS for the whole server', head('OPTIONS *', JSON_BODY), '{'],
    ['a GET that promises a body', head('GET /api/v1/me', { 'content-length': '100' }), ''],
    [
      'a chunked body that never ends',
      head('POST /api/v1/sessions', { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }),
      '1\r\n{\r\n',
    ],
    ['bodies that wait to be asked for', head('POST /api/v1/sessions', { ...JSON_BODY, expect: '100-continue' }), ''],
    ['headers that never end', 'GET /api/v1/me HTTP/1.1\r\nhost: x\r\nx-slow: ', ''],
  ])('%s', async (_what, headers, body) => {
    const dripping = await drip(api.url, MANY, headers + body);
    for (let n = 0; n < 3; n++) {
      expect((await fetch(`${api.url}/api/v1/me`)).status).toBe(401);
      expect((await owner.get('/api/v1/me')).status).toBe(200);
      await sleep(50);
    }
    for (const { socket } of dripping) socket.destroy();
    await Promise.all(dripping.map(({ closed }) => closed));
    await until('nothing is in flight', () => api.gauge('requests_in_flight') === 0);
  });
});

test('a small body that does not come is answered with 408 soon, and its connection is closed', async () => {
  giveBodies(100);
  const [dripping] = await drip(api.url, 1, `${head('POST /api/v1/sessions', JSON_BODY)}{`);
  const begun = performance.now();
  await dripping?.closed;
  expect(performance.now() - begun).toBeLessThan(REQUEST_MS / 2); // long before any other limit
  expect(dripping?.heard()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(dripping?.heard()).toMatch(/\r\nconnection: close\r\n/i);
  expect(dripping?.heard()).toContain('"status":408');
});

test.each([
  ['a path that does not exist', 'POST /api/v1/nowhere', 404],
  ['a caller without a session', 'POST /api/v1/notes', 401],
  ['a method that a path does not have', 'PUT /api/v1/me', 404],
])('the body of %s is not waited for: the answer comes first and closes the connection', async (_, line, status) => {
  giveBodies(REQUEST_MS); // and then the answer would be 408
  const answer = await rawRequest(api.url, head(line, JSON_BODY));
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
});

test('only a body that is wanted is asked for with 100 Continue', async () => {
  giveBodies(REQUEST_MS);
  const expecting = { ...JSON_BODY, expect: '100-continue', connection: 'close' };
  const [wanted, unknown] = await drip(api.url, 1, head('POST /api/v1/sessions', expecting), 60_000).then(
    async ([one]) => [one, await rawRequest(api.url, head('POST /api/v1/nowhere', expecting))] as const,
  );
  expect(unknown).toMatch(/^HTTP\/1\.1 404 /);
  await until('the body is asked for', () => wanted?.heard().startsWith('HTTP/1.1 100 Continue') === true);
  wanted?.socket.write(' '.repeat(120));
  await wanted?.closed;
  expect(wanted?.heard()).toMatch(/HTTP\/1\.1 400 /);
});

test('a body that arrives in pieces, but in time, is read', async () => {
  giveBodies(REQUEST_MS);
  const body = JSON.stringify({ title: 'In pieces' });
  const headers = { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json', connection: 'close' };
  const [one] = await drip(
    api.url,
    1,
    head('POST /api/v1/notes', { ...headers, 'content-length': String(body.length) }),
    60_000,
  );
  for (const letter of body) {
    one?.socket.write(letter);
    await sleep(5);
  }
  await one?.closed;
  expect(one?.heard()).toMatch(/^HTTP\/1\.1 201 /);
});

test('requests sent without waiting for answers are answered one after another, in their order', async () => {
  const auth = { authorization: `Bearer ${owner.token}` };
  const answer = await rawRequest(
    api.url,
    head('GET /api/v1/me', auth) +
      head('GET /api/v1/nowhere', auth) +
      head('GET /livez', { ...auth, connection: 'close' }),
  );
  expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '404', '200']);
});

test('one connection that sends more requests than it reads takes one place, and is cut when it goes on', async () => {
  const several = head('GET /api/v1/me').repeat(PIPELINED_REQUESTS_MAX - 1);
  const [polite] = await drip(api.url, 1, several, 60_000);
  await until('all are answered', () => polite?.heard().match(/401/g)?.length !== undefined);
  const [rude] = await drip(api.url, 1, head('GET /api/v1/me').repeat(MANY), 60_000);
  await rude?.closed;
  expect((await fetch(`${api.url}/api/v1/me`)).status).toBe(401);
  await until('nothing is in flight', () => api.gauge('requests_in_flight') === 0);
});

test('of too many bodies that arrive at once, those that have taken longest are ended', async () => {
  giveBodies(REQUEST_MS);
  const surplus = 5;
  // Without more bytes: by and by a dripping body is complete, and no longer arriving.
  const arriving = (count: number) => drip(api.url, count, `${head('POST /api/v1/sessions', JSON_BODY)}{`, 600_000);
  const dripping = await arriving(BODIES_ARRIVING_MAX.strangers);
  await until('all are arriving', () => api.gauge('bodies_arriving') === BODIES_ARRIVING_MAX.strangers);
  await arriving(surplus);
  const ended = () => dripping.filter(({ heard }) => heard().startsWith('HTTP/1.1 503 '));
  await until('the first are ended', () => ended().length === surplus);
  expect(api.gauge('bodies_arriving')).toBe(BODIES_ARRIVING_MAX.strangers);
  const body = { title: 'A body of somebody who is signed in' };
  expect((await owner.send('POST', '/api/v1/notes', body)).status).toBe(201);
  expect(ended()).toHaveLength(surplus);
});

test('a customer whose bodies drip does not end those of another one, however slow these are', async () => {
  giveBodies(REQUEST_MS);
  const other = await api.newOwner();
  const post = ({ token }: ApiClient) =>
    `${head('POST /api/v1/notes', { ...JSON_BODY, authorization: `Bearer ${token}` })}{`;
  const [slow] = await drip(api.url, 1, post(other), 60_000);
  await until('it arrives', () => api.gauge('bodies_arriving') === 1);
  const dripping = await drip(api.url, BODIES_ARRIVING_MAX.known + 20, post(owner), 5_000);
  const ended = () => dripping.filter(({ heard }) => heard().startsWith('HTTP/1.1 503 ')).length;
  await until('some of the others are ended', () => ended() > 20);
  slow?.socket.write(' '.repeat(119));
  await until('it is read', () => slow?.heard().startsWith('HTTP/1.1 400 ') === true);
});

test('a route without a sign-in takes small bodies only', async () => {
  const post = (path: string, headers: Record<string, string>) => {
    const body = JSON.stringify({ title: 'x'.repeat(PUBLIC_BODY_BYTES_MAX) });
    return fetch(api.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  };
  expect((await post('/api/v1/sessions', {})).status).toBe(413);
  expect((await post('/api/v1/notes', { authorization: `Bearer ${owner.token}` })).status).toBe(400);
});

test('an upload may take long while it makes progress, and is ended when it makes none', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const app = fastify();
  limitSlowBodies(app as unknown as App, createMetrics('api'), SENDERS);
  app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload));
  let received = 0;
  app.put('/api/v1/file', async ({ body }) => {
    for await (const piece of body as Readable) received += piece.length;
    return { received };
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  const upload = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void upload.destroy());
  let heard = '';
  upload.setEncoding('utf8').on('data', (text) => {
    heard += text;
  });
  upload.write(head('PUT /api/v1/file', { 'content-type': 'text/csv', 'content-length': '1000000' }));
  for (let window = 1; window <= 5; window++) {
    upload.write('x'.repeat(UPLOAD_WINDOW_BYTES_MIN));
    await until('it has come', () => received === window * UPLOAD_WINDOW_BYTES_MIN);
    vi.advanceTimersByTime(UPLOAD_WINDOW_MS);
  }
  expect(heard).toBe('');
  upload.write('x');
  await until('it has come', () => received === 5 * UPLOAD_WINDOW_BYTES_MIN + 1);
  vi.advanceTimersByTime(UPLOAD_WINDOW_MS);
  await until('it is ended', () => heard.startsWith('HTTP/1.1 408 '));
});

test('a client that goes away in the middle of its body is not taken for a database that is away', async () => {
  const app = fastify();
  onTestFinished(() => app.close());
  limitSlowBodies(app as unknown as App, createMetrics('api'), SENDERS);
  const failed = errorOfSmall(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  client.write(`${head('POST /api/v1/small', JSON_BODY)}{`, () => setImmediate(() => client.destroy()));
  const error = await failed;
  expect(isServerAway(error)).toBe(false);
  expect(error).toMatchObject({ message: 'The client has gone', statusCode: 400 });
});

test.each([
  ['in the middle of its body', '{'],
  ['after all of its body', '{}'],
])('a client that went %s, before it was recognised, is not waited for', async (_when, body) => {
  const app = fastify();
  onTestFinished(() => app.close());
  const metrics = createMetrics('api');
  app.addHook('onRequest', async ({ raw }) => {
    client.destroy();
    await until('it has gone', () => raw.destroyed);
  });
  limitSlowBodies(app as unknown as App, metrics, SENDERS);
  const failed = errorOfSmall(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  client.write(head('POST /api/v1/small', { ...JSON_BODY, 'content-length': '2' }) + body);
  expect(await failed).toMatchObject({ message: 'The client has gone', statusCode: 400 });
  expect(metrics.report().gauges['bodies_arriving']).toBe(0);
});

test('a body that keeps coming in pieces of a few bytes is not read on, and is told so when its time is over', async () => {
  giveBodies(1_000);
  const headers = head('POST /api/v1/notes', { ...CHUNKED, authorization: `Bearer ${owner.token}` });
  const many = inPieces(' '.repeat(BODY_PIECES_AT_EASE + 1));
  const [crumbs] = await drip(api.url, 1, headers + many, 60_000);
  await until('it arrives', () => api.gauge('bodies_arriving') === 1);
  let sent = 0;
  while (crumbs?.socket.write(Buffer.alloc(1024 * 1024, ' ')) === true || sent === 0) sent++; // the kernel takes no more
  await crumbs?.closed;
  expect(crumbs?.heard()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(crumbs?.heard()).toContain('The body came in too many pieces of a few bytes each. Send larger pieces.');
  expect(api.gauge('bodies_arriving')).toBe(0);
});

test('as many pieces that come at once are a body like any other', async () => {
  const padded = JSON.stringify({ title: 'In small pieces' }) + ' '.repeat(2 * BODY_PIECES_AT_EASE);
  const headers = { ...CHUNKED, authorization: `Bearer ${owner.token}`, connection: 'close' };
  const answer = await rawRequest(api.url, `${head('POST /api/v1/notes', headers)}${inPieces(padded)}0\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 201 /);
});

/** A chunk for each character. */
function inPieces(text: string): string {
  return [...text].map((character) => `1\r\n${character}\r\n`).join('');
}

/** Adds the route that the clients of the tests above post to; resolves to what its request ends with. */
function errorOfSmall(app: FastifyInstance): Promise<Error> {
  const failed = Promise.withResolvers<Error>();
  app.setErrorHandler((error, _request, reply) => {
    failed.resolve(error as Error);
    return reply.code(400).send();
  });
  app.post('/api/v1/small', async () => ({}));
  return failed.promise;
}
