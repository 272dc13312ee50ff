import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { endOldConnections } from '../../src/http/connection-age.ts';

const AGE_MS = { min: 1_000, max: 2_000 };
let server: Server;
let agent: Agent;
let connections: number;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  connections = 0;
  server = createServer((_request, response) => response.end('answer'));
  server.on('connection', () => connections++);
  endOldConnections(server, AGE_MS);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});

afterEach(async () => {
  vi.useRealTimers();
  agent.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('a young connection is kept', async () => {
  expect(await ask()).toBe('keep-alive');
  vi.advanceTimersByTime(AGE_MS.min - 1);
  expect(await ask()).toBe('keep-alive');
  expect(connections).toBe(1);
});

test('an old one ends with its next answer, and the client goes on with another', async () => {
  await ask();
  vi.advanceTimersByTime(AGE_MS.max + 1);
  expect(await ask()).toBe('close');
  expect(await ask()).toBe('keep-alive');
  expect(connections).toBe(2);
});

test('connections that came together do not end together', async () => {
  vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(1);
  const another = new Agent({ keepAlive: true, maxSockets: 1 });
  await ask();
  await ask(another);
  vi.advanceTimersByTime((AGE_MS.min + AGE_MS.max) / 2);
  expect([await ask(), await ask(another)]).toEqual(['close', 'keep-alive']);
  another.destroy();
});

/** Resolves with what the answer says about the connection. */
function ask(through = agent): Promise<string | undefined> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    request({ port, agent: through, path: '/' }, (response) => {
      response.resume().on('end', () => resolve(response.headers.connection));
    })
      .on('error', reject)
      .end();
  });
}
