import { request } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { BODY_MS, REQUEST_MS, SOCKET_CLOSE_MS, TICKET_BODY_BYTES_MAX, TICKETS_PER_LINK } from '../../src/limits.ts';
import type { AdmissionLimits } from '../../src/socket/admission.ts';
import { createTicketDesk, type TicketDesk } from '../../src/socket/ticket.ts';
import { until } from '../database.ts';
import { openSocket, type SocketClient } from './client.ts';
import { endOf, OWN_ORIGIN, openRaw, openTcp, startSocketServer, type TestSocketServer } from './socket-server.ts';

const SECRET = 'a secret key for tests, longer than 32 characters';
let server: TestSocketServer;
let desk: TicketDesk<{ link: string }>;
let used: Set<string>;

beforeEach(async () => {
  used = new Set();
  await start();
});
afterEach(() => {
  vi.useRealTimers();
  return server.close();
});

async function start(admission: Partial<AdmissionLimits> = {}): Promise<void> {
  await server?.close();
  desk = createTicketDesk({
    ...{ secretKey: SECRET, purpose: 'room' },
    remember: async (id) => used.size < used.add(id).size,
  });
  server = await startSocketServer({
    admission,
    endpoints: [
      {
        path: '/room',
        ticketing: {
          desk,
          grantsOf(token) {
            if (!token.startsWith('link')) throw new AppError('not_found', 'This link is incomplete.');
            return { link: token };
          },
          linkOf: ({ link }: { link: string }) => link,
        },
        handler: {
          async message(connection) {
            connection.welcomed();
            connection.send({ type: 'welcome', grants: connection.grants });
          },
          closed: () => undefined,
        },
      },
    ],
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { ticket?: string; code?: string; retryAfterMs?: number };
}
async function ask(token: string, headers: Record<string, string> = {}): Promise<Answer> {
  const init = { method: 'POST', body: JSON.stringify({ token }), headers };
  const response = await fetch(`${server.address}/room/ticket`, init);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}
const protocols = (ticket = '') => ['ticket', `ticket.${ticket}`];
async function enter(ticket: string | undefined): Promise<SocketClient> {
  const client = await openSocket(`${server.address}/room`, {}, protocols(ticket));
  client.say({});
  await client.heard(({ type }) => type === 'welcome');
  return client;
}

test('a token becomes a ticket, and the ticket a socket with its grants and our protocol', async () => {
  const { status, headers, body } = await ask('link 1');
  expect([status, headers.get('cache-control'), headers.get('connection')]).toEqual([200, 'no-store', 'close']);
  const client = await enter(body.ticket);
  expect(client.frames[0]).toEqual({ type: 'welcome', grants: { link: 'link 1' } });
  expect(client.socket.protocol).toBe('ticket');
});

test('a ticket is good once, also when it is shown twice at the same moment', async () => {
  const { body } = await ask('link 1');
  const both = await Promise.allSettled([enter(body.ticket), enter(body.ticket)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await expect(enter(body.ticket)).rejects.toThrow('401');
});

test('a ticket that was used on another process is refused, and gives its place back', async () => {
  await start({ placesPerAddress: 1 });
  const { body } = await ask('link 1');
  const other = createTicketDesk({
    ...{ secretKey: SECRET, purpose: 'room' },
    remember: async (id) => used.size < used.add(id).size,
  });
  await other.check(body.ticket ?? '')?.redeem();
  await expect(enter(body.ticket)).rejects.toThrow('401');
  await enter((await ask('link 1')).body.ticket);
});

test.each([
  ['no ticket', undefined],
  ['a ticket that is not ours', 'made.up'],
])(
  'a socket with %s is refused before it is one, and other protocols are not answered with ours',
  async (_, ticket) => {
    await expect(openSocket(`${server.address}/room`, {}, ticket ? protocols(ticket) : [])).rejects.toThrow('401');
    await expect(openSocket(`${server.address}/echo`, {}, protocols(desk.create({ link: 'x' })))).rejects.toThrow(
      /no subprotocol/,
    );
  },
);

test('people with a ticket get in while strangers of the same address knock', async () => {
  await start({ perSecond: 0.001, burst: 3 });
  for (let n = 0; n < 3; n++) await expect(openSocket(`${server.address}/room`)).rejects.toThrow('401');
  await expect(openSocket(`${server.address}/room`)).rejects.toThrow('429');
  await expect(openRaw(server.port)).resolves.toBeDefined();
  const { body } = await ask('link 1');
  await enter(body.ticket);
});

test('a token that is not ours is told so; after too many of them each answer is held back, and says when to come back', async () => {
  await start({ perSecond: 0.001, burst: 2 });
  for (let n = 0; n < 2; n++) expect(await ask('guess')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  const begun = performance.now();
  const { status, headers, body } = await ask('guess');
  expect(performance.now() - begun).toBeGreaterThan(SOCKET_CLOSE_MS * 0.9);
  expect([status, body.code]).toEqual([429, 'rate_limited']);
  expect(body.retryAfterMs).toBeGreaterThan(0);
  expect(Number(headers.get('retry-after'))).toBe(Math.ceil((body.retryAfterMs ?? 0) / 1_000));
  expect((await ask('link 1')).status).toBe(200);
});

test('one link gets a number of tickets and is then told to wait, and other links of its address get theirs', async () => {
  vi.useFakeTimers({ toFake: ['performance'] }); // nothing is made up for, however long the machine takes
  const asked = Array.from({ length: TICKETS_PER_LINK.burst + 5 }, () => ask('link 1'));
  const answers = (await Promise.all(asked)).map(({ status }) => status);
  expect(answers.filter((status) => status === 200)).toHaveLength(TICKETS_PER_LINK.burst);
  expect(answers.filter((status) => status === 429)).toHaveLength(5);
  expect((await ask('link 2')).status).toBe(200);
});

test('a link that floods is cut off and has to wait, with the tickets that it has too, and other links do not', async () => {
  vi.useFakeTimers({ toFake: ['performance'] }); // no debt is paid off, however long the machine takes
  // Half of what it may have at once, so that it is in debt.
  const asked = await Promise.all(Array.from({ length: TICKETS_PER_LINK.burst / 2 }, () => ask('link 1')));
  const [first, kept] = asked.map(({ body }) => body.ticket);
  const client = await enter(first);
  for (let ping = 0; ping < 500; ping++) client.socket.ping();
  expect(await client.closed).toEqual({ code: 1008, reason: 'too many messages' });
  await expect(enter(kept)).rejects.toThrow('429');
  const begun = Date.now();
  expect(await ask('link 1')).toMatchObject({ status: 429, body: { retryAfterMs: expect.any(Number) } });
  expect(Date.now() - begun).toBeGreaterThan(SOCKET_CLOSE_MS * 0.9);
  await enter((await ask('link 2')).body.ticket);
});

test('the owner of many links opens no more connections from one address than it has places, and a few each second', async () => {
  await start({ placesPerAddress: 30 });
  vi.useFakeTimers({ toFake: ['performance'] });
  const answers = [];
  for (let n = 0; n < 30 + 5; n++) {
    const answer = await ask(`link ${n}`);
    answers.push(answer);
    if (answer.body.ticket !== undefined) (await enter(answer.body.ticket)).socket.terminate();
  }
  expect(answers.slice(0, 30).map(({ status }) => status)).toEqual(Array(30).fill(200));
  for (const { status, body } of answers.slice(30))
    expect([status, body]).toEqual([
      429,
      expect.objectContaining({ code: 'rate_limited', retryAfterMs: expect.any(Number) }),
    ]);
});

test('when there is no place for it, no ticket is given: 429 for the address, 503 for the process', async () => {
  await start({ placesPerAddress: 1 });
  await enter((await ask('link 1')).body.ticket);
  expect(await ask('link 1')).toMatchObject({ status: 429, body: { retryAfterMs: expect.any(Number) } });
  await start({ places: 1 });
  await enter((await ask('link 1')).body.ticket);
  expect(await ask('link 1')).toMatchObject({ status: 503, body: { code: 'overloaded' } });
});

test('a process that stops gives no ticket, and says when to come back', async () => {
  const { body } = await ask('link 1');
  await server.stopSockets();
  expect(await ask('link 1')).toMatchObject({ status: 503, body: { retryAfterMs: expect.any(Number) } });
  await expect(enter(body.ticket)).rejects.toThrow('503');
});

test('a page of ours can read the answer, from whichever origin, and another page gets no ticket', async () => {
  const ours = await ask('link 1', { origin: OWN_ORIGIN });
  expect([ours.status, ours.headers.get('access-control-allow-origin')]).toEqual([200, OWN_ORIGIN]);
  const foreign = await ask('link 1', { origin: 'https://elsewhere.test' });
  expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null]);
});

test.each([
  ['not JSON', 'token=link', 400],
  ['no token', '{}', 400],
  ['null', 'null', 400],
  ['a token that is not a text', '{"token":{}}', 400],
  ['too much', JSON.stringify({ token: `link ${'x'.repeat(TICKET_BODY_BYTES_MAX)}` }), 413],
])('a body that is %s is refused', async (_, body, status) => {
  const response = await fetch(`${server.address}/room/ticket`, { method: 'POST', body });
  expect(response.status).toBe(status);
});

test('only a POST is answered', async () => {
  const response = await fetch(`${server.address}/room/ticket`);
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
});

test('a client that waits to be asked for its body is asked', async () => {
  const answer = await new Promise<number | undefined>((resolve, reject) => {
    const asking = request(`${server.address}/room/ticket`, { method: 'POST', headers: { expect: '100-continue' } });
    asking.on('continue', () => asking.end(JSON.stringify({ token: 'link 1' })));
    asking.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
    asking.flushHeaders();
  });
  expect(answer).toBe(200);
});

test('a body that does not arrive ends the connection, and no place is taken', async () => {
  const client = await openTcp(server.port);
  client.resume();
  const begun = performance.now();
  client.write('POST /room/ticket HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{"tok');
  await endOf(client);
  expect(performance.now() - begun).toBeLessThan(REQUEST_MS); // for which any request may take
  expect(performance.now() - begun).toBeGreaterThan(BODY_MS * 0.9);
  client.destroy();
});

test('a client that leaves while its ticket is redeemed gives its place back', async () => {
  await start({ placesPerAddress: 1 });
  const { body } = await ask('link 1');
  const client = await openTcp(server.port);
  client.write(
    `GET /room HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${protocols(body.ticket).join(', ')}\r\n\r\n`,
  );
  client.resetAndDestroy();
  await until('there is a place', async () => (await ask('link 2')).status === 200);
});
