import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRefusals } from '../../src/http/problem-details.ts';
import { createRefusedBodies } from '../../src/http/refused-bodies.ts';
import { createRequestMetrics } from '../../src/http/request-metrics.ts';
import {
  LARGE_BODIES_IN_VAIN,
  LARGE_BODIES_WAITING_MAX,
  RETRY_AFTER_SECONDS,
  SMALL_BODY_BYTES_MAX,
} from '../../src/limits.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { until } from '../database.ts';
import { type RunningApi, runApi, slowRequest } from '../running-api.ts';

// So slow that nobody's turn comes while a test of the api runs.
vi.mock('../../src/limits.ts', async (original) => ({
  ...(await original<typeof import('../../src/limits.ts')>()),
  LARGE_BODIES_IN_VAIN: { perSecond: 0.01, burst: 3, debt: 100 },
  LARGE_BODY_WAIT_MS_MAX: 250_000,
  LARGE_BODIES_WAITING_MAX: 4,
}));
const TURN_MS = 1_000 / LARGE_BODIES_IN_VAIN.perSecond;
const LARGE = SMALL_BODY_BYTES_MAX + 1;

describe('in front of the framework', () => {
  let metrics: ReturnType<typeof createMetrics>;
  let send: (sender: string, headers?: Record<string, string>) => Sent;
  /** In the order in which they were looked at. */
  let seen: Sent[];
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    metrics = createMetrics('api');
    seen = [];
    const senders = new Map<IncomingMessage, string>();
    const bodies = createRefusedBodies({
      ...{ metrics, createRefusal: createRefusals({}, createRequestMetrics(metrics)) },
      senderOf: (request) => senders.get(request) ?? '',
    });
    const guarded = bodies((request) => void seen.push(request as unknown as Sent));
    send = (sender, headers = { 'content-length': String(LARGE) }) => {
      const sent = new Sent(headers);
      senders.set(sent as unknown as IncomingMessage, sender);
      guarded(
        sent as unknown as IncomingMessage,
        sent.response as unknown as ServerResponse & { req: IncomingMessage },
      );
      return sent;
    };
  });
  afterEach(() => vi.useRealTimers());

  const refuseAll = (sender: string, times = LARGE_BODIES_IN_VAIN.burst) => {
    for (let n = 0; n < times; n++) send(sender).answer(413);
    seen = [];
  };
  const waiting = () => metrics.report().gauges['bodies_waiting'];

  test('the first ones are refused at once, and the next ones of their sender wait, one after another', () => {
    for (let n = 0; n < LARGE_BODIES_IN_VAIN.burst; n++) {
      expect(send('a')).toBe(seen.at(-1));
      seen.at(-1)?.answer(n % 2 === 0 ? 413 : 400);
    }
    seen = [];
    const [first, second] = [send('a'), send('a')];
    expect([seen, waiting()]).toEqual([[], 2]);
    vi.advanceTimersByTime(TURN_MS);
    expect([seen, waiting()]).toEqual([[first], 1]);
    vi.advanceTimersByTime(TURN_MS);
    expect([seen, waiting()]).toEqual([[first, second], 0]);
  });

  test('nobody else waits, and what is small or without a body does not either', () => {
    refuseAll('a');
    const sent = [
      send('b'),
      send('a', {}),
      send('a', { 'content-length': '0' }),
      send('a', { 'content-length': String(SMALL_BODY_BYTES_MAX) }),
    ];
    expect(seen).toEqual(sent);
    send('a', { 'transfer-encoding': 'chunked' });
    expect(seen).toEqual(sent);
  });

  test('bodies that are good, came too slowly or met a fault of ours cost nothing', () => {
    for (const status of [200, 201, 404, 409, 412, 500]) for (let n = 0; n < 10; n++) send('a').answer(status);
    for (const status of [408, 503]) for (let n = 0; n < 10; n++) send('a').leftIncomplete().answer(status);
    for (let n = 0; n < 10; n++) send('a').hungUp();
    seen = [];
    expect(send('a')).toBe(seen[0]);
  });

  test.each([
    ['that nobody reads', (sent: Sent) => sent.leftIncomplete().answer(200)],
    ['of a caller who is not known', (sent: Sent) => sent.leftIncomplete().answer(401)],
    ['in crumbs', (sent: Sent) => Object.assign(sent, { inCrumbs: true }).answer(201)],
  ])('a body %s costs as much as one that is refused', (_what, end) => {
    for (let n = 0; n < LARGE_BODIES_IN_VAIN.burst; n++) end(send('a'));
    seen = [];
    send('a');
    expect([seen, waiting()]).toEqual([[], 1]);
  });

  test('nothing more is read of a body while it waits', () => {
    refuseAll('a');
    const sent = [send('a'), send('a')];
    expect(sent.map(({ socket }) => socket.isPaused)).toEqual([true, true]);
    vi.advanceTimersByTime(2 * TURN_MS);
    expect(sent.map(({ socket }) => socket.isPaused)).toEqual([false, false]);
  });

  test('a turn that was waited for and not needed is given back', () => {
    refuseAll('a');
    const first = send('a');
    vi.advanceTimersByTime(TURN_MS);
    expect(seen).toEqual([first]);
    first.answer(201);
    expect(send('a')).toBe(seen[1]);
  });

  test('a client that has left meanwhile is not looked at, and its token is given back', () => {
    refuseAll('a');
    send('a').hungUp();
    vi.advanceTimersByTime(TURN_MS);
    expect([seen, waiting()]).toEqual([[], 0]);
    expect(send('a')).toBe(seen[0]);
  });

  test('who would wait too long is told to come back, and later is served again', () => {
    refuseAll('a');
    const sent = [send('a'), send('a'), send('a')];
    expect(sent.map(({ response }) => response.statusCode)).toEqual([0, 0, 429]);
    const { headers, body } = (sent[2] as Sent).response;
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS);
    expect(JSON.parse(String(body))).toMatchObject({ code: 'rate_limited', status: 429 });
    vi.advanceTimersByTime(10 * TURN_MS);
    seen = [];
    expect(send('a')).toBe(seen[0]);
  });

  test('no more wait than there is room for, whoever they are, and those who need not wait are served', () => {
    const senders = ['a', 'b', 'c'];
    for (const sender of senders) refuseAll(sender);
    const sent = [...senders, ...senders].map((sender) => send(sender));
    expect(waiting()).toBe(LARGE_BODIES_WAITING_MAX);
    expect(sent.slice(LARGE_BODIES_WAITING_MAX).map(({ response }) => response.statusCode)).toEqual([429, 429]);
    expect(send('d')).toBe(seen[0]);
  });
});

describe('in the api', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await runApi();
  });
  afterAll(() => api.stop());

  const BRACKETS = '['.repeat(LARGE);
  const json = (token?: string) => ({
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });

  test('brackets of a customer get slower, and whatever else this customer sends does not', async () => {
    const [owner, other] = [await api.newOwner(), await api.newOwner()];
    for (const client of [owner, other]) await client.get('/api/v1/me'); // they are known from here on
    const send = (body: string) => owner.send('POST', '/api/v1/notes', body, json());
    for (let n = 0; n < LARGE_BODIES_IN_VAIN.burst; n++) expect((await send(BRACKETS)).status).toBe(400);
    const held = slowRequest(api.url, 'POST', '/api/v1/notes', json(owner.token));
    held.end(BRACKETS);
    await until('it waits', () => api.gauge('bodies_waiting') === 1);

    expect((await owner.get('/api/v1/me')).status).toBe(200);
    expect((await send('{"title":"Weekly"}')).status).toBe(201);
    expect((await other.send('POST', '/api/v1/notes', BRACKETS, json())).status).toBe(400);
    expect([api.gauge('bodies_arriving'), api.gauge('requests_in_flight')]).toEqual([0, 0]);
    held.cut();
  });

  test('a stranger who sends too much does not keep others of the same network from signing in', async () => {
    const sendTooMuch = () => fetch(`${api.url}/api/v1/sessions`, { method: 'POST', headers: json(), body: BRACKETS });
    for (let n = 0; n < LARGE_BODIES_IN_VAIN.burst; n++) expect((await sendTooMuch()).status).toBe(413);
    const held = [1, 2].map(() => slowRequest(api.url, 'POST', '/api/v1/sessions', json()));
    for (const request of held) request.end(BRACKETS);
    await until('they wait', () => api.gauge('bodies_waiting') === 3);
    const refused = await sendTooMuch();
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ type: '/problems/rate_limited', code: 'rate_limited' });

    const body = JSON.stringify({ email: 'nobody@example.test', password: 'a wrong password' });
    const signIn = await fetch(`${api.url}/api/v1/sessions`, { method: 'POST', headers: json(), body });
    expect(signIn.status).toBe(401);
    for (const request of held) request.cut();
  });
});

/** A request with these headers, and what it is answered. */
class Sent {
  readonly method = 'POST';
  readonly headers: Record<string, string>;
  readonly response = new Response(this);
  complete = true;
  readonly socket = {
    isPaused: false,
    destroyed: false,
    pause: () => void Object.assign(this.socket, { isPaused: true }),
    resume: () => void Object.assign(this.socket, { isPaused: false }),
  };

  constructor(headers: Record<string, string>) {
    this.headers = headers;
  }

  leftIncomplete(): this {
    this.complete = false;
    return this;
  }

  hungUp(): this {
    this.socket.destroyed = true;
    this.response.destroyed = true;
    this.response.emit('close');
    return this;
  }

  answer(status: number): void {
    this.response.writeHead(status, {}).end('');
  }
}

class Response extends EventEmitter {
  readonly req: Sent;
  statusCode = 0;
  destroyed = false;
  headers: Record<string, unknown> = {};
  body: unknown;

  constructor(request: Sent) {
    super();
    this.req = request;
  }

  writeHead(status: number, headers: Record<string, unknown>): this {
    this.statusCode = status;
    this.headers = headers;
    return this;
  }

  end(body: unknown): void {
    this.body = body;
    this.emit('close');
  }
}
