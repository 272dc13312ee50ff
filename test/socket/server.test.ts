import { get } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ClientOptions } from 'ws';
import { AppError, overloaded } from '../../src/errors.ts';
import {
  RETRY_AFTER_SECONDS,
  SOCKET_DRAIN_PER_TICK_MIN,
  SOCKET_FRAME_BYTES_MAX,
  SOCKET_HELLO_MS,
  SOCKET_NONCE_CHARS_MAX,
  SOCKET_PER_10_SECONDS_MAX,
  SOCKET_STRANGER_PER_10_SECONDS_MAX,
  SOCKET_WORK_PAUSE,
} from '../../src/limits.ts';
import { createLog, type Log } from '../../src/log.ts';
import type { Connection, SocketHandler } from '../../src/socket/connection.ts';
import { until } from '../database.ts';
import { openSocket, type SocketClient } from './client.ts';
import { frameOf, OPCODE, OWN_ORIGIN, openRaw, startSocketServer, type TestSocketServer } from './socket-server.ts';

let server: TestSocketServer;
let handle: SocketHandler['message'];
const gone: Connection[] = [];
const goneFromOther: Connection[] = [];
const accepted: Socket[] = [];
const logged: object[] = [];
const log = Object.assign(createLog('test', 'silent'), { error: (fields: object) => void logged.push(fields) }) as Log;

beforeEach(async () => {
  gone.length = 0;
  goneFromOther.length = 0;
  logged.length = 0;
  accepted.length = 0;
  handle = async (connection, message) => connection.send({ type: 'echo', message });
  server = await startSocketServer({
    log,
    handler: {
      async message(connection, message) {
        if (message === 'welcome') {
          connection.welcomed();
          connection.send({ type: 'welcome' });
        } else await handle(connection, message);
      },
      closed: (connection) => void gone.push(connection),
    },
    endpoints: [
      {
        path: '/time',
        handler: {
          message: async (connection) => connection.send({ type: 'time' }),
          closed: (connection) => void goneFromOther.push(connection),
        },
      },
    ],
  });
  server.http.on('connection', (socket) => accepted.push(socket));
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

const open = (options?: ClientOptions, path = '/echo'): Promise<SocketClient> =>
  openSocket(server.address + path, options);

async function openWelcomed(): Promise<SocketClient> {
  const client = await open();
  client.socket.send('"welcome"');
  await client.heard((frame) => frame.type === 'welcome');
  return client;
}

test('a page of another site cannot connect', async () => {
  await expect(open({ origin: 'https://evil.example.test' })).rejects.toThrow('403');
  await expect(open({ origin: `${OWN_ORIGIN}.evil.example.test` })).rejects.toThrow('403');
  await expect(open({ origin: 'null' })).rejects.toThrow('403');
});

test('our own page and programs without an origin connect', async () => {
  for (const options of [{ origin: OWN_ORIGIN }, {}]) {
    const client = await open(options);
    client.say({ hello: 1 });
    expect(await client.heard((frame) => frame.type === 'echo')).toEqual({ type: 'echo', message: { hello: 1 } });
  }
});

test('a page whose origin equals the host that it claims to call cannot connect', async () => {
  const forged = { origin: 'https://evil.example.test', headers: { host: 'evil.example.test' } };
  await expect(open(forged)).rejects.toThrow('403');
});

test('no subprotocol is agreed to, because we know none', async () => {
  const offered = new Promise<string | undefined>((resolve, reject) => {
    const request = get(`${server.address}/echo`, {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Protocol': 'superchat, token-of-somebody',
      },
    });
    request.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.headers['sec-websocket-protocol']);
    });
    request.once('error', reject);
  });
  expect(await offered).toBeUndefined();
});

test('each endpoint has its own handler, on one server', async () => {
  const [echo, other] = [await open(), await open({}, '/time?a=b')];
  echo.say({ n: 1 });
  other.say({ n: 2 });
  expect(await echo.heard(() => true)).toEqual({ type: 'echo', message: { n: 1 } });
  expect(await other.heard(() => true)).toEqual({ type: 'time' });
  other.socket.terminate();
  await until('the handler of the other one was told', () => goneFromOther.length === 1);
  expect(gone).toEqual([]);
});

test.each(['/elsewhere', '/', '/echo/', '/echo/deeper', '/ech', '//echo'])(
  'a path without an endpoint is not found: %s',
  async (path) => {
    await expect(open({}, path)).rejects.toThrow('404');
  },
);

test('a client that does not say hello is closed after a while, and one that did is not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const silent = await open();
  const polite = await open();
  const answered = new Promise((resolve) => polite.socket.once('message', resolve));
  polite.socket.send('"welcome"');
  await answered;
  vi.advanceTimersByTime(SOCKET_HELLO_MS - 1);
  expect(silent.socket.readyState).toBe(silent.socket.OPEN);
  vi.advanceTimersByTime(1);
  expect(await silent.closed).toEqual({ code: 1008, reason: 'say hello first' });
  expect(polite.socket.readyState).toBe(polite.socket.OPEN);
});

test('a binary frame closes', async () => {
  const client = await open();
  client.socket.send(Buffer.from('{}'), { binary: true });
  expect(await client.closed).toEqual({ code: 1008, reason: 'text frames only' });
});

test('a frame over the limit closes before it is read', async () => {
  let handled = 0;
  handle = async () => void handled++;
  const client = await openWelcomed();
  client.socket.send(JSON.stringify('x'.repeat(SOCKET_FRAME_BYTES_MAX)));
  expect((await client.closed).code).toBe(1009);
  expect(handled).toBe(0);
});

test.each([
  ['a client that was welcomed', openWelcomed, SOCKET_PER_10_SECONDS_MAX.messages - 1],
  ['a stranger', open, SOCKET_STRANGER_PER_10_SECONDS_MAX.messages],
])('%s that sends too fast is closed', async (_, openClient, messagesMax) => {
  let handled = 0;
  handle = async () => void handled++;
  const client = await openClient();
  for (let message = 1; message <= messagesMax; message++) {
    client.say({});
    await until('it was handled', () => handled === message);
  }
  client.say({});
  expect(await client.closed).toEqual({ code: 1008, reason: 'too many messages' });
  expect(handled).toBe(messagesMax);
});

test('a client that sends faster than its messages are handled is not read meanwhile, and loses nothing', async () => {
  const hold = Promise.withResolvers<void>();
  const seen: unknown[] = [];
  handle = async (_, message) => {
    await hold.promise;
    seen.push(message);
  };
  const client = await openRaw(server.port);
  client.write(frameOf(OPCODE.text, '"welcome"'));
  const paused = await serverSide();
  const messages = Array.from({ length: SOCKET_WORK_PAUSE * 3 }, (_, number) => number);
  for (const message of messages) {
    client.write(frameOf(OPCODE.text, String(message)));
    await new Promise((resolve) => setImmediate(resolve)); // in chunks of their own, mostly
  }
  await until('reading has stopped', () => paused.isPaused());
  hold.resolve();
  await until('all are handled', () => seen.length === messages.length);
  expect(seen).toEqual(messages);
  expect(paused.isPaused()).toBe(false);
  client.destroy();
});

test('messages of one client are handled one after the other, in the order in which they came', async () => {
  const seen: unknown[] = [];
  let atOnce = 0;
  handle = async (_, message) => {
    expect(++atOnce).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 5 - (message as number)));
    seen.push(message);
    atOnce--;
  };
  const client = await open();
  for (const message of [0, 1, 2, 3, 4]) client.socket.send(JSON.stringify(message));
  await until('all are handled', () => seen.length === 5);
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test('an error about one message is sent with its nonce, and the messages behind it are handled', async () => {
  const seen: unknown[] = [];
  handle = async (_, message) => {
    const { refuse, n } = message as { refuse?: 'conflict'; n: number };
    if (refuse) throw new AppError(refuse, 'Not now.');
    seen.push(n);
  };
  const client = await open();
  client.socket.send('not json');
  client.say({ refuse: 'conflict', nonce: 'n-1' });
  client.say({ refuse: 'conflict', nonce: 'x'.repeat(SOCKET_NONCE_CHARS_MAX + 1) });
  client.say({ n: 1 });
  await until('the last one is handled', () => seen.length === 1);
  await client.heard(() => client.frames.length === 3);
  expect(client.frames).toEqual([
    { type: 'error', code: 'invalid', message: 'A message must be JSON.' },
    { type: 'error', code: 'conflict', message: 'Not now.', nonce: 'n-1' },
    { type: 'error', code: 'conflict', message: 'Not now.' },
  ]);
  expect(client.socket.readyState).toBe(client.socket.OPEN);
});

test.each([
  ['overloaded', () => overloaded('answers'), RETRY_AFTER_SECONDS],
  ['rate_limited', () => new AppError('rate_limited', 'Slower.', { retryAfterSeconds: 7 }), 7],
  ['internal', () => new Error('password=secret'), RETRY_AFTER_SECONDS],
])(
  'after a message failed as %s nothing behind it is handled, and the client hears when to come back',
  async (code, fault, seconds) => {
    const hold = Promise.withResolvers<void>();
    const begun: unknown[] = [];
    handle = async (_, message) => {
      const { nonce } = message as { nonce: string };
      begun.push(nonce);
      if (nonce !== '45') return;
      await hold.promise;
      throw fault();
    };
    const client = await openWelcomed();
    for (const nonce of ['44', '45', '46', '47']) client.say({ nonce });
    await until('the bad one has begun', () => begun.length === 2);
    hold.resolve();
    const { code: closeCode, reason } = await client.closed;
    const error = client.frames.at(-1) as unknown as { retryAfterMs: number };
    expect(error).toMatchObject({ type: 'error', code, nonce: '45' });
    expect(error.retryAfterMs).toBeGreaterThanOrEqual(seconds * 1_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(seconds * 2_000);
    expect([closeCode, reason]).toEqual([1013, `retry after ${error.retryAfterMs} ms`]);
    await until('its handler was told', () => gone.length === 1);
    expect(begun).toEqual(['44', '45']);
    expect(JSON.stringify(client.frames)).not.toContain('secret');
  },
);

test('what a client sends after it was closed is not handled', async () => {
  const seen: unknown[] = [];
  handle = async (connection, message) => {
    seen.push(message);
    if (message === 'last') connection.close(4001, 'not valid');
  };
  const client = await openRaw(server.port);
  client.write(frameOf(OPCODE.text, '"last"'));
  await until('it is handled', () => seen.length === 1);
  client.write(frameOf(OPCODE.text, '"late"'));
  let isOver = false;
  client.once('close', () => (isOver = true)).once('end', () => (isOver = true));
  await until('its connection has ended', () => isOver, SOCKET_HELLO_MS / 2); // and not because it was never welcomed
  await until('its handler was told', () => gone.length === 1);
  expect(seen).toEqual(['last']);
});

test('an error of thousands of messages is logged in full once', async () => {
  handle = async () => {
    throw new Error('the database is away');
  };
  for (let n = 0; n < 20; n++) {
    const client = await open();
    client.say({});
    await client.closed;
  }
  expect(logged.filter((fields) => 'err' in fields)).toHaveLength(1);
  expect(logged.length).toBeLessThan(10);
});

test('the handler is told that a client is gone after the last of its messages is handled', async () => {
  const hold = Promise.withResolvers<void>();
  const seen: unknown[] = [];
  handle = async (_, message) => {
    await hold.promise;
    seen.push([message, gone.length]);
  };
  const client = await openWelcomed();
  client.socket.send('1');
  client.socket.send('2');
  client.socket.close();
  await client.closed;
  hold.resolve();
  await until('it was told', () => gone.length === 1);
  expect(seen).toEqual([
    [1, 0],
    [2, 0],
  ]);
});

test('the handler is told once that a client is gone', async () => {
  const client = await open();
  client.socket.terminate();
  await until('it was told', () => gone.length === 1);
  await client.closed;
  expect(gone.length).toBe(1);
});

test('a stop tells each client when to come back, and refuses new ones meanwhile', async () => {
  const clients = await Promise.all(Array.from({ length: SOCKET_DRAIN_PER_TICK_MIN * 2 }, () => open()));
  const stopped = server.stopSockets();
  await expect(open()).rejects.toThrow('503');
  const hints = new Set<string>();
  for (const client of clients) {
    const { code, reason } = await client.closed;
    expect(code).toBe(1012);
    expect(reason).toMatch(/^retry after \d+ ms$/);
    hints.add(reason);
  }
  await stopped;
  expect(hints.size).toBeGreaterThan(1);
});

test('a stop closes the sockets a few at a time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const clients = await Promise.all(Array.from({ length: SOCKET_DRAIN_PER_TICK_MIN * 3 }, () => open()));
  let closed = 0;
  for (const client of clients) void client.closed.then(() => closed++);
  vi.useRealTimers();
  const stopped = server.stopSockets();
  await until('the first are closed', () => closed > 0);
  expect(closed).toBeLessThan(clients.length);
  await stopped;
  await until('all are closed', () => closed === clients.length);
});

test('a stop lets a message that has arrived be answered first, and takes none after it', async () => {
  const hold = Promise.withResolvers<void>();
  const begun: unknown[] = [];
  handle = async (connection, message) => {
    begun.push(message);
    await hold.promise;
    connection.send({ type: 'ack', message });
  };
  const client = await openWelcomed();
  client.socket.send('1');
  client.socket.send('2');
  await until('the first has begun', () => begun.length === 1);
  const other = await open();
  const stopped = server.stopSockets();
  expect((await other.closed).code).toBe(1012);
  client.socket.send('3');
  hold.resolve();
  expect((await client.closed).code).toBe(1012);
  await stopped;
  expect(client.frames.slice(1)).toEqual([
    { type: 'ack', message: 1 },
    { type: 'ack', message: 2 },
  ]);
  expect(begun).toEqual([1, 2]);
});

/** The server's end of the only connection. */
async function serverSide(): Promise<Socket> {
  return until('it is connected', () => accepted.at(-1));
}
