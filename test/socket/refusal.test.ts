import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SOCKET_CLOSE_MS, SOCKET_HELLO_MS, SOCKET_PING_MS } from '../../src/limits.ts';
import { until } from '../database.ts';
import { openSocket } from './client.ts';
import { openTcp, startSocketServer, type TestSocketServer, upgradeRequest } from './socket-server.ts';

let server: TestSocketServer;
const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);
beforeEach(async () => {
  uncaught.length = 0;
  server = await startSocketServer();
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

const connections = () => new Promise<number>((resolve) => server.http.getConnections((_, count) => resolve(count)));
const REFUSED = {
  'an unknown path': upgradeRequest('/nowhere'),
  'a page of another site': upgradeRequest('/echo', { Origin: 'https://evil.example.test' }),
  'not a WebSocket': upgradeRequest('/echo', { Upgrade: 'h2c' }),
  'a key that is not one': upgradeRequest('/echo', { 'Sec-WebSocket-Key': 'x' }),
};

test.each(Object.entries(REFUSED))(
  'a client that resets its refused upgrade (%s) ends nothing else',
  async (_, request) => {
    // Vitest's own listeners would make any uncaught exception fail the run, which is right, but says less.
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', note);
    try {
      for (let round = 0; round < 30; round++) {
        const client = await openTcp(server.port);
        const closed = new Promise((resolve) => client.once('close', resolve));
        if (round % 3 === 2) client.once('data', () => client.resetAndDestroy()).write(request);
        else client.write(request, () => setImmediate(() => client.resetAndDestroy()));
        await closed;
      }
      await until('all of them are gone', async () => (await connections()) === 0);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of others) process.on('uncaughtException', listener);
    }
    expect(uncaught).toEqual([]);
    const client = await openSocket(`${server.address}/echo`);
    client.socket.terminate();
  },
);

test.each(Object.entries(REFUSED))('a refused upgrade (%s) does not stay half open', async (_, request) => {
  const clients = await Promise.all(Array.from({ length: 5 }, () => openTcp(server.port)));
  for (const client of clients) {
    client.on('data', () => undefined);
    client.write(request);
  }
  // Its side stays open for as long as the test runs.
  await until('the server has let go of them', async () => (await connections()) === 0, SOCKET_HELLO_MS / 2);
  for (const client of clients) client.destroy();
});

test('upgrades during a stop are refused, and a reset then ends nothing either', async () => {
  await server.stopSockets();
  const client = await openTcp(server.port);
  const answer = new Promise<string>((resolve) => client.once('data', (data) => resolve(String(data))));
  client.write(upgradeRequest('/echo'));
  expect(await answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: \d+\r\n/);
  client.resetAndDestroy();
  await until('it is gone', async () => (await connections()) === 0);
});

test('a client that opens a socket and then neither speaks nor reads is gone a moment after its time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const client = await openTcp(server.port);
  const upgraded = new Promise((resolve) => client.once('data', resolve));
  client.write(upgradeRequest('/echo'));
  await upgraded;
  await vi.advanceTimersByTimeAsync(SOCKET_HELLO_MS);
  expect(await connections()).toBe(1);
  await vi.advanceTimersByTimeAsync(SOCKET_CLOSE_MS);
  vi.useRealTimers();
  await until('it is gone', async () => (await connections()) === 0, SOCKET_PING_MS / 2); // and not by the next ping
  client.destroy();
});

test('an address that asks too often waits for its refusal, which is short all the same', async () => {
  await server.close();
  server = await startSocketServer({ admission: { burst: 1, perSecond: 0.001 } });
  const first = await openTcp(server.port);
  first.write(upgradeRequest('/echo'));
  await new Promise((resolve) => first.once('data', resolve));
  const second = await openTcp(server.port);
  const asked = performance.now();
  const answer = new Promise<string>((resolve) => second.once('data', (data) => resolve(String(data))));
  second.write(upgradeRequest('/echo'));
  expect(await answer).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\nRetry-After: \d+\r\n/);
  const waitedMs = performance.now() - asked;
  expect(waitedMs).toBeGreaterThan(SOCKET_CLOSE_MS * 0.9);
  first.destroy();
  await until('both are gone', async () => (await connections()) === 0);
});

test('a client that closes only its own side is gone a moment later', async () => {
  const client = await openTcp(server.port);
  const upgraded = new Promise((resolve) => client.once('data', resolve));
  client.write(upgradeRequest('/echo'));
  await upgraded;
  client.end();
  await until('it is gone', async () => (await connections()) === 0, SOCKET_HELLO_MS / 2);
});
