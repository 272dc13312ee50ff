import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { App } from '../../src/http/app.ts';
import { createAdmission } from '../../src/http/load-shedding.ts';
import { createRefusals } from '../../src/http/problem-details.ts';
import { createRequestMetrics } from '../../src/http/request-metrics.ts';
import {
  REQUEST_MS,
  REQUESTS_IN_FLIGHT_MAX,
  RETRY_AFTER_JITTER_SECONDS,
  RETRY_AFTER_SECONDS,
  STRANGERS_AT_EASE_MAX,
  STRANGERS_IN_FLIGHT_MAX,
  STRANGERS_PER_NETWORK_MAX,
  UPLOADS_AT_ONCE_MAX,
  UPLOADS_OF_ORGANISATION_MAX,
  WAITING_FOR_PLACES_MAX,
  WAITING_FOR_PLACES_MS,
  WORK_AFTER_CLOSE_MS,
} from '../../src/limits.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import type { ApiClient } from '../api-client.ts';
import { until } from '../database.ts';
import { TEST_MODULES } from '../modules.ts';
import { createQuietLog } from '../process/quiet-log.ts';
import { type RunningApi, runApi, slowRequest } from '../running-api.ts';
import { head } from './dripping.ts';
import { createGatedModule } from './gated-module.ts';

const gated = createGatedModule();
/** `createRefusal` of an admission without a server. */
const refusals = (metrics = createMetrics('api')) => createRefusals({}, createRequestMetrics(metrics));
let api: RunningApi;
let owner: ApiClient;
let held: Socket[] = [];
beforeAll(async () => {
  api = await runApi({ TRUST_PROXY_HOPS: '1' }, [...TEST_MODULES, gated.module]);
  owner = await api.newOwner();
});
afterEach(async () => {
  gated.open();
  for (const socket of held) socket.destroy();
  held = [];
  await until('nothing is in flight', () => api.gauge('requests_in_flight') === 0);
});
afterAll(() => api.stop());

const asOwner = () => ({ authorization: `Bearer ${owner.token}` });
const inFlight = () => api.gauge('requests_in_flight');

test('a request beyond the limit waits for a moment and is told to come back, while health probes are answered', async () => {
  await owner.get('/api/v1/me');
  await hold(REQUESTS_IN_FLIGHT_MAX, head('GET /api/v1/gated', asOwner()));
  const begun = performance.now();
  const refused = await fetch(`${api.url}/api/v1/me`, { headers: asOwner() });
  const refusedInMs = performance.now() - begun;
  const probe = await fetch(`${api.url}/livez`);

  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(
    RETRY_AFTER_SECONDS + RETRY_AFTER_JITTER_SECONDS,
  );
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
  expect(await refused.json()).toMatchObject({ status: 503, code: 'overloaded' });
  expect(refusedInMs).toBeLessThan(REQUEST_MS / 2); // which is the next limit
  expect(probe.status).toBe(200);
});

test('a request that waits for a place gets one when it becomes free', async () => {
  await owner.get('/api/v1/me');
  await hold(REQUESTS_IN_FLIGHT_MAX, head('GET /api/v1/gated', asOwner()));
  const waiting = fetch(`${api.url}/api/v1/me`, { headers: asOwner() });
  await until('it waits', () => api.gauge('requests_waiting') === 1);
  gated.open();
  expect((await waiting).status).toBe(200);
  expect(api.gauge('requests_waiting')).toBe(0);
});

test('a client that goes away while it waits does not take a place', async () => {
  await owner.get('/api/v1/me');
  await hold(REQUESTS_IN_FLIGHT_MAX, head('GET /api/v1/gated', asOwner()));
  const leaving = new AbortController();
  const waiting = fetch(`${api.url}/api/v1/me`, { headers: asOwner(), signal: leaving.signal }).catch(() => undefined);
  await until('it waits', () => api.gauge('requests_waiting') === 1);
  leaving.abort();
  await waiting;
  await until('nobody waits', () => api.gauge('requests_waiting') === 0);
  expect(inFlight()).toBe(REQUESTS_IN_FLIGHT_MAX);
});

test('refused clients are not all told the same time', async () => {
  await owner.get('/api/v1/me');
  await hold(REQUESTS_IN_FLIGHT_MAX, head('GET /api/v1/gated', asOwner()));
  const answers = await Promise.all(Array.from({ length: 40 }, () => fetch(`${api.url}/api/v1/me`)));
  expect(new Set(answers.map(({ headers }) => headers.get('retry-after'))).size).toBeGreaterThan(1);
});

test('a request just below the limit is answered', async () => {
  await owner.get('/api/v1/me');
  await hold(REQUESTS_IN_FLIGHT_MAX - 1, head('GET /api/v1/gated', asOwner()));
  expect((await fetch(`${api.url}/api/v1/me`)).status).toBe(401);
});

test('strangers have places of their own, and signed-in people are served while it is used up', async () => {
  await owner.get('/api/v1/me');
  await holdEach(STRANGERS_IN_FLIGHT_MAX, (n) => head('GET /api/v1/open', { 'x-forwarded-for': `10.1.${n}.1` }));
  expect((await fetch(`${api.url}/api/v1/me`)).status).toBe(503);
  expect((await fetch(`${api.url}/api/v1/me`, { headers: { authorization: `Bearer ${'A'.repeat(43)}` } })).status).toBe(
    503,
  );
  for (let n = 0; n < REQUESTS_IN_FLIGHT_MAX - 1; n++) connectTo(head('GET /api/v1/gated', asOwner()));
  await until('all of them run', () => inFlight() === STRANGERS_IN_FLIGHT_MAX + REQUESTS_IN_FLIGHT_MAX - 1);
  expect((await owner.get('/api/v1/me')).status).toBe(200);
});

test('so it is for strangers who send a body', async () => {
  await owner.get('/api/v1/me');
  const post = (n: number) => {
    const headers = { 'content-type': 'application/json', 'content-length': '2', 'x-forwarded-for': `10.2.${n}.1` };
    return `${head('POST /api/v1/open', headers)}{}`;
  };
  await holdEach(STRANGERS_IN_FLIGHT_MAX, post);
  const refused = await fetch(`${api.url}/api/v1/open`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(refused.status).toBe(503);
  expect((await owner.get('/api/v1/me')).status).toBe(200);
});

test('when strangers are many, one network has a few places, and others are still served', async () => {
  const from = (address: string) => head('GET /api/v1/open', { 'x-forwarded-for': address });
  await holdEach(STRANGERS_AT_EASE_MAX, (n) =>
    from(n < STRANGERS_PER_NETWORK_MAX ? `2001:db8:1:2::${n + 1}` : `10.3.${n}.1`),
  );
  const ask = (address: string) => fetch(`${api.url}/api/v1/me`, { headers: { 'x-forwarded-for': address } });
  expect((await ask('2001:db8:1:2::99')).status).toBe(503);
  expect((await ask('2001:db8:1:3::99')).status).toBe(401);
});

test('strangers who do not read their answers keep nobody from theirs', async () => {
  const { hostname, port } = new URL(api.url);
  for (let n = 0; n < STRANGERS_AT_EASE_MAX; n++) {
    const deaf = connect(Number(port), hostname).pause();
    deaf.on('error', () => undefined).write(head('GET /api/v1/bulk'));
    held.push(deaf);
  }
  await until('all are answered', () => gated.count.begun === STRANGERS_AT_EASE_MAX);
  expect((await fetch(`${api.url}/api/v1/me`)).status).toBe(401);
});

test('one organisation that fills the places and the line behind them leaves others their turn', async () => {
  const [greedy, other] = [owner, await api.newOwner()];
  for (const client of [greedy, other]) await client.get('/api/v1/me');
  await hold(REQUESTS_IN_FLIGHT_MAX, head('GET /api/v1/gated', asOwner()));
  let refused = 0;
  for (let n = 0; n < WAITING_FOR_PLACES_MAX.interactive; n++) {
    const waiting = connectTo(head('GET /api/v1/me', asOwner()));
    waiting.on('data', (text) => void (String(text).startsWith('HTTP/1.1 503') && refused++));
  }
  await until(
    'the line is full',
    () => api.gauge('requests_waiting') === WAITING_FOR_PLACES_MAX.interactive || refused > 0,
  );
  const answer = other.get('/api/v1/me');
  await until('one of the greedy has made room', () => refused > 0);
  gated.open();
  expect((await answer).status).toBe(200);
});

test('one organisation has a share of the places for files, and gives one up when others have none', async () => {
  const uploading = async (client: ApiClient) => {
    const headers = { 'content-type': 'text/csv', authorization: `Bearer ${client.token}` };
    const upload = slowRequest(api.url, 'PUT', '/api/v1/file', { ...headers, 'transfer-encoding': 'chunked' });
    upload.send('a,b\n');
    return upload;
  };
  const four = [owner, await api.newOwner(), await api.newOwner(), await api.newOwner()];
  expect(four.length * UPLOADS_OF_ORGANISATION_MAX).toBe(UPLOADS_AT_ONCE_MAX);
  const uploads = [];
  for (const [nth, client] of four.entries()) {
    for (let n = 0; n < UPLOADS_OF_ORGANISATION_MAX; n++) {
      uploads.push(await uploading(client));
      const arrived = nth * UPLOADS_OF_ORGANISATION_MAX + n + 1;
      await until('it arrives', () => api.gauge('uploads_in_flight') === arrived);
    }
    if (nth === 0) expect((await (await uploading(client)).answer).status).toBe(503);
  }
  const newcomer = await uploading(await api.newOwner());
  newcomer.end('c,d\n');
  expect((await newcomer.answer).status).toBe(200);
  const [pushedOut, ...others] = uploads;
  expect((await pushedOut?.answer)?.status).toBe(503);
  for (const upload of others) upload.end();
  const statuses = await Promise.all(others.map(async ({ answer }) => (await answer).status));
  expect(new Set(statuses)).toEqual(new Set([200]));
});

test('a client that goes away gives its place back only when the work for it has ended', async () => {
  const begun = 30;
  await hold(begun, head('GET /api/v1/open'));
  for (const socket of held) socket.destroy();
  await Promise.all(held.map((socket) => socket.closed || once(socket, 'close')));
  await fetch(`${api.url}/livez`);
  expect(inFlight()).toBe(begun);
  gated.open();
  await until('the count is back', () => inFlight() === 0);
});

test('clients that ask and go away cannot start more work than there are places', async () => {
  await owner.get('/api/v1/me');
  await hold(REQUESTS_IN_FLIGHT_MAX, head('GET /api/v1/gated', asOwner()));
  for (const socket of held) socket.destroy();
  await Promise.all(held.map((socket) => socket.closed || once(socket, 'close')));
  expect((await fetch(`${api.url}/api/v1/gated`, { headers: asOwner() })).status).toBe(503);
  expect(gated.count.begun).toBe(REQUESTS_IN_FLIGHT_MAX);
});

test('requests that were answered, refused or not found are no longer counted', async () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE'])
    for (const path of ['/', '/livez', '/api/v1/me', '/nowhere', '/api/v1/nowhere', '/%', '/api/v1/notes?limit=x'])
      await (await fetch(api.url + path, { method, headers: asOwner() })).text();
  await until('the count is back', () => inFlight() === 0);
});

test('an upload whose client went before it had a place keeps none, also when no handler begins', () => {
  const { log } = createQuietLog();
  const hooks: Record<string, (...given: never[]) => unknown> = {};
  const senders = { organisationOf: () => undefined, networkOf: () => '192.0.2.1' };
  const admission = createAdmission({ createRefusal: refusals(), metrics: createMetrics('api'), log, ...senders });
  admission.watch({ addHook: (name: string, hook: never) => (hooks[name] = hook) } as unknown as App);
  const upload = (destroyed: boolean) => {
    const request = { raw: { url: '/', headers: {} }, body: new PassThrough(), routeOptions: { config: {} } };
    const done = vi.fn();
    hooks['preValidation']?.(
      request as never,
      { raw: Object.assign(new EventEmitter(), { destroyed }) } as never,
      done as never,
    );
    return done;
  };
  for (let n = 0; n < UPLOADS_OF_ORGANISATION_MAX; n++) upload(true);
  expect(upload(false)).toHaveBeenCalledExactlyOnceWith();
});

test('people who were signed in a moment ago take no places of strangers while they are looked up', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const metrics = createMetrics('api');
  const { log } = createQuietLog();
  const senders = { organisationOf: () => 1, networkOf: () => '192.0.2.1' };
  const admission = createAdmission({ createRefusal: refusals(metrics), metrics, log, ...senders });
  for (let n = 0; n < REQUESTS_IN_FLIGHT_MAX + 2; n++) {
    const req = { url: '/api/v1/me', method: 'GET', headers: {} } as IncomingMessage;
    const response = Object.assign(new EventEmitter(), { req, writeHead: () => ({ end: () => undefined }) });
    admission.guard(() => undefined)(req, response as never);
  }
  const { gauges } = metrics.report();
  expect(gauges).toMatchObject({
    strangers_in_flight: 0,
    requests_in_flight: REQUESTS_IN_FLIGHT_MAX,
    requests_waiting: 2,
  });
  vi.advanceTimersByTime(WAITING_FOR_PLACES_MS.interactive);
  // What is refused in front of the framework is counted with all other answers.
  expect(await metrics.text()).toMatch(
    /^tardigrade_http_requests_total\{method="GET",route="none",status="503",.*\} 2$/m,
  );
});

describe('a line of signed-in people', () => {
  /** All places are taken, and as many wait as may. `answer` is what becomes of those who waited. */
  function fillLine(answer: (response: ServerResponse) => void) {
    const { log } = createQuietLog();
    const metrics = createMetrics('api');
    const senders = { organisationOf: () => 1, networkOf: () => '192.0.2.1' };
    const admission = createAdmission({ createRefusal: refusals(), metrics, log, ...senders });
    const ask = (then: (request: IncomingMessage, response: ServerResponse) => void) => {
      const request = { url: '/api/v1/me', method: 'GET', headers: {} } as IncomingMessage;
      const response = Object.assign(new EventEmitter(), { destroyed: false }) as unknown as ServerResponse;
      admission.guard(then)(request, response as never);
      return response;
    };
    // As the session is: known a moment later.
    const recognised = (request: IncomingMessage) => queueMicrotask(() => admission.recognise(request, 1));
    const first = [];
    for (let n = 0; n < REQUESTS_IN_FLIGHT_MAX; n++) first.push(ask((request) => admission.recognise(request, 1)));
    for (let n = 0; n < WAITING_FOR_PLACES_MAX.interactive; n++)
      ask((request, response) => {
        recognised(request);
        answer(response);
      });
    const gauge = (name: string) => metrics.report().gauges[name];
    expect(gauge('requests_waiting')).toBe(WAITING_FOR_PLACES_MAX.interactive);
    return { first: first as [ServerResponse, ...ServerResponse[]], gauge };
  }

  test('gets one place for each that becomes free', async () => {
    vi.useFakeTimers();
    const { first, gauge } = fillLine(() => undefined);
    first[0].emit('prefinish');
    expect(gauge('requests_waiting')).toBe(WAITING_FOR_PLACES_MAX.interactive - 1);
    expect(gauge('requests_in_flight')).toBe(REQUESTS_IN_FLIGHT_MAX);
    await Promise.resolve();
    expect(gauge('requests_in_flight')).toBe(REQUESTS_IN_FLIGHT_MAX);
    expect(gauge('strangers_in_flight')).toBe(0);
    vi.useRealTimers();
  });

  test('is served one after another, also by answers that are given at once', () => {
    vi.useFakeTimers();
    let depth = 0;
    let deepest = 0;
    const { first, gauge } = fillLine((response) => {
      deepest = Math.max(deepest, ++depth);
      response.emit('prefinish');
      depth--;
    });
    first[0].emit('prefinish');
    expect(deepest).toBe(1);
    expect(gauge('requests_waiting')).toBe(0);
    expect(gauge('requests_in_flight')).toBe(REQUESTS_IN_FLIGHT_MAX - 1);
    vi.useRealTimers();
  });
});

test('a handler that never ends costs its place for a time, not for ever', () => {
  vi.useFakeTimers();
  const { log, error } = createQuietLog();
  const metrics = createMetrics('api');
  const hooks: Record<string, (...given: never[]) => unknown> = {};
  const senders = { organisationOf: () => undefined, networkOf: () => '192.0.2.1' };
  const admission = createAdmission({ createRefusal: refusals(), metrics, log, ...senders });
  admission.watch({ addHook: (name: string, hook: never) => (hooks[name] = hook) } as unknown as App);
  const route = { handler: () => new Promise(() => undefined) };
  hooks['onRoute']?.(route as never);
  const request = { url: '/', method: 'GET', headers: {} } as IncomingMessage;
  const response = new EventEmitter() as ServerResponse;
  const handle = route.handler as (request: object, reply: object) => unknown;
  admission.guard(() => void handle({ raw: request }, {}))(request, response as never);
  const counted = () => metrics.report().gauges['requests_in_flight'];

  response.emit('close');
  vi.advanceTimersByTime(WORK_AFTER_CLOSE_MS - 1);
  expect(counted()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(counted()).toBe(0);
  expect(error).toHaveBeenCalledExactlyOnceWith(expect.anything(), 'a handler goes on long after its client has gone');
  vi.useRealTimers();
});

function hold(count: number, request: string): Promise<void> {
  return holdEach(count, () => request);
}

/** Each over a connection of its own, and resolved when all their handlers run. */
async function holdEach(count: number, request: (n: number) => string): Promise<void> {
  for (let n = 0; n < count; n++) connectTo(request(n)).resume();
  await until(`${count} requests are in flight`, () => inFlight() === count && gated.count.begun >= count);
}

function connectTo(request: string): Socket {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined).write(request);
  held.push(socket);
  return socket;
}
