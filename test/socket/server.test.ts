import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ClientOptions } from 'ws';
import { AppError } from '../../src/errors.ts';
import {
  SOCKET_FRAME_BYTES_MAX,
  SOCKET_HELLO_MS,
  SOCKET_MESSAGES_PER_10_SECONDS_MAX,
  SOCKET_PING_MS,
  SOCKET_WORK_WAITING_MAX,
} from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { type Connection, createSocketServer, type SocketHandler } from '../../src/socket/server.ts';
import { until } from '../database.ts';
import { openSocket, type SocketClient } from './client.ts';

const OWN_ORIGIN = 'https://pages.example.test';
let http: Server;
let sockets: { close(): Promise<void> };
let address: string;
let handle: SocketHandler['message'];
const gone: Connection[] = [];
const goneFromOther: Connection[] = [];

/** Timers are under the test's hand from the start; `until` and the sockets themselves need none that are faked. */
async function start(): Promise<void> {
  http = createServer();
  sockets = createSocketServer({
    server: http,
    origins: [OWN_ORIGIN],
    endpoints: [
      {
        path: '/echo',
        handler: {
          message: (connection, message) => handle(connection, message),
          closed: (connection) => void gone.push(connection),
        },
      },
      {
        path: '/time',
        handler: {
          message: async (connection) => connection.send({ type: 'time' }),
          closed: (connection) => void goneFromOther.push(connection),
        },
      },
    ],
    log: createLog('test', 'silent'),
    metrics: createMetrics('test'),
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

beforeEach(async () => {
  gone.length = 0;
  goneFromOther.length = 0;
  handle = async (connection, message) => {
    connection.welcomed();
    connection.send({ type: 'echo', message });
  };
  await start();
});
afterEach(async () => {
  vi.useRealTimers();
  await sockets.close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});

const open = (options?: ClientOptions, path = '/echo'): Promise<SocketClient> => openSocket(address + path, options);

test('a page of another site cannot connect', async () => {
  await expect(open({ origin: 'https://evil.example.test' })).rejects.toThrow('403');
  await expect(open({ origin: `${OWN_ORIGIN}.evil.example.test` })).rejects.toThrow('403');
  await expect(open({ origin: 'null' })).rejects.toThrow('403');
});

test('our own page, the page of the address itself, and programs without an origin connect', async () => {
  for (const options of [{ origin: OWN_ORIGIN }, { origin: address }, {}]) {
    const client = await open(options);
    client.say({ hello: 1 });
    expect(await client.heard((frame) => frame.type === 'echo')).toEqual({ type: 'echo', message: { hello: 1 } });
  }
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
  polite.say({});
  await answered;
  vi.advanceTimersByTime(SOCKET_HELLO_MS - 1);
  expect(silent.socket.readyState).toBe(silent.socket.OPEN);
  vi.advanceTimersByTime(1);
  expect(await silent.closed).toEqual({ code: 1008, reason: 'say hello first' });
  expect(polite.socket.readyState).toBe(polite.socket.OPEN);
});

test('a client that stops answering pings is dropped in the second round, and one that answers stays', async () => {
  await sockets.close();
  http.close();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  await start();
  const dead = await open({ autoPong: false } as ClientOptions);
  const alive = await open();
  const pinged = (client: SocketClient) => new Promise((resolve) => client.socket.once('ping', resolve));
  const both = Promise.all([pinged(dead), pinged(alive)]);
  vi.advanceTimersByTime(SOCKET_PING_MS);
  await both;
  alive.say({}); // its answer comes after the pong was taken
  await alive.heard((frame) => frame.type === 'echo');
  vi.advanceTimersByTime(SOCKET_PING_MS);
  expect((await dead.closed).code).toBe(1006);
  expect(alive.socket.readyState).toBe(alive.socket.OPEN);
});

test('a binary frame closes', async () => {
  const client = await open();
  client.socket.send(Buffer.from('{}'), { binary: true });
  expect(await client.closed).toEqual({ code: 1008, reason: 'text frames only' });
});

test('a frame over the limit closes before it is read', async () => {
  let handled = 0;
  handle = async () => void handled++;
  const client = await open();
  client.socket.send(JSON.stringify('x'.repeat(SOCKET_FRAME_BYTES_MAX)));
  expect((await client.closed).code).toBe(1009);
  expect(handled).toBe(0);
});

test('a client that sends too fast is closed', async () => {
  let handled = 0;
  handle = async () => void handled++;
  const client = await open();
  for (let message = 1; message <= SOCKET_MESSAGES_PER_10_SECONDS_MAX; message++) {
    client.say({});
    await until('it was handled', () => handled === message);
  }
  client.say({});
  expect(await client.closed).toEqual({ code: 1008, reason: 'too many messages' });
  expect(handled).toBe(SOCKET_MESSAGES_PER_10_SECONDS_MAX);
});

test('a client that sends faster than its messages are handled is closed, and the number that wait is bounded', async () => {
  const { promise: never, resolve: letGo } = Promise.withResolvers<void>();
  let begun = 0;
  handle = () => {
    begun++;
    return never;
  };
  const client = await open();
  for (let message = 0; message < SOCKET_WORK_WAITING_MAX + 2; message++) client.say({});
  expect((await client.closed).code).toBe(1008);
  expect(begun).toBe(1);
  letGo();
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

test('an AppError is sent and the connection stays; any other error closes it without revealing the cause', async () => {
  handle = async (_, message) => {
    if (message === 'expected') throw new AppError('conflict', 'Not now.');
    throw new Error('password=secret');
  };
  const client = await open();
  client.socket.send('not json');
  expect(await client.heard((frame) => frame['code'] === 'invalid')).toMatchObject({ type: 'error' });
  client.socket.send('"expected"');
  expect(await client.heard((frame) => frame['code'] === 'conflict')).toMatchObject({ message: 'Not now.' });
  client.socket.send('"unexpected"');
  expect(await client.closed).toEqual({ code: 1013, reason: 'try again' });
  expect(JSON.stringify(client.frames)).not.toContain('secret');
});

test('the handler is told once that a client is gone', async () => {
  const client = await open();
  client.socket.terminate();
  await until('it was told', () => gone.length === 1);
  await client.closed;
  expect(gone.length).toBe(1);
});

test('a stop tells every client to come back, and refuses new ones meanwhile', async () => {
  const clients = await Promise.all([open(), open()]);
  const stopped = sockets.close();
  await expect(open()).rejects.toThrow('503');
  for (const client of clients) expect(await client.closed).toEqual({ code: 1012, reason: 'restarting' });
  await stopped;
});
