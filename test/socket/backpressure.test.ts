import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as tick } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { SOCKET_BUFFER_BYTES_MAX } from '../../src/limits.ts';
import { sendBounded } from '../../src/socket/backpressure.ts';
import { until } from '../database.ts';

const CHUNK = 'x'.repeat(16 * 1024);
// Far more than the operating system's own buffers hold on both sides.
const MUCH_BYTES = 64 * 1024 * 1024;

let server: WebSocketServer | undefined;
afterEach(() => server?.close());

async function connected(): Promise<{ near: WebSocket; far: WebSocket }> {
  const listening = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server = listening;
  await new Promise((resolve) => listening.once('listening', resolve));
  const accepted = new Promise<WebSocket>((resolve) => listening.once('connection', resolve));
  const far = new WebSocket(`ws://127.0.0.1:${(listening.address() as AddressInfo).port}`);
  return { near: await accepted, far };
}

const streamOf = (socket: WebSocket) => (socket as unknown as { _socket: Socket })._socket;

test('a client that does not read is cut off before its unsent messages pass the bound', async () => {
  const { near, far } = await connected();
  await until('it is open', () => far.readyState === WebSocket.OPEN);
  streamOf(far).pause();
  const closed = new Promise<number>((resolve) => near.once('close', resolve));

  let sent = 0;
  let mostUnsent = 0;
  while (sent < MUCH_BYTES && sendBounded(near, CHUNK)) {
    sent += CHUNK.length;
    mostUnsent = Math.max(mostUnsent, near.bufferedAmount);
    await tick();
  }
  expect(sent).toBeLessThan(MUCH_BYTES);
  expect(mostUnsent).toBeLessThanOrEqual(SOCKET_BUFFER_BYTES_MAX);
  expect(await closed).toBe(1006);
});

test('a client that reads gets as much as it likes', async () => {
  const { near, far } = await connected();
  let got = 0;
  far.on('message', (data) => {
    got += String(data).length;
  });
  for (let sent = 0; sent < MUCH_BYTES; sent += CHUNK.length) {
    expect(sendBounded(near, CHUNK)).toBe(true);
    if (near.bufferedAmount > SOCKET_BUFFER_BYTES_MAX / 2) await until('it caught up', () => near.bufferedAmount === 0);
  }
  await until('all of it has arrived', () => got === MUCH_BYTES);
  far.close();
});

test('one message larger than the bound cuts the client off instead of being held', async () => {
  const { near, far } = await connected();
  const closed = new Promise<number>((resolve) => far.once('close', resolve));
  far.on('error', () => undefined);
  expect(sendBounded(near, 'four', 3)).toBe(false);
  expect(await closed).toBe(1006);
});
