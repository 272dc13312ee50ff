import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SOCKET_CLOSE_MS } from '../../src/limits.ts';
import { until } from '../database.ts';
import { openSocket } from './client.ts';
import { frameOf, OPCODE, openRaw, startSocketServer, type TestSocketServer } from './socket-server.ts';

let server: TestSocketServer;
let accepted: Socket[];
beforeEach(async () => {
  accepted = [];
  server = await startSocketServer();
  server.http.on('connection', (socket) => accepted.push(socket));
});
afterEach(() => server.close());

const KINDS = Object.entries({ ...OPCODE, 'empty fragments': 0 });

test.each(KINDS)('a flood of %s is cut off after a few, and is not read from then on', async (_, opcode) => {
  const client = await openRaw(server.port);
  const chunk = Buffer.concat(Array.from({ length: 10_000 }, () => frameOf(opcode)));
  const fill = () => {
    while (!client.destroyed && client.write(chunk));
  };
  client.on('drain', fill);
  const began = performance.now();
  fill();
  const [served] = accepted;
  await until('the server has ended it', () => served?.destroyed);
  expect(performance.now() - began).toBeLessThan(SOCKET_CLOSE_MS * 3);
  // What Node reads ahead while a stream is paused: a chunk in hand, and a full buffer.
  expect(served?.bytesRead).toBeLessThan(256 * 1024);
  client.destroy();
});

test('a flooder hears why it was cut off', async () => {
  const client = await openSocket(`${server.address}/echo`);
  for (let ping = 0; ping < 500; ping++) client.socket.ping();
  expect(await client.closed).toEqual({ code: 1008, reason: 'too many messages' });
});

test.each(KINDS)('200 sockets that flood with %s do not keep another person waiting', async (_, opcode) => {
  const person = await openSocket(`${server.address}/echo`);
  person.say({ n: -1 });
  await person.heard((frame) => frame.type === 'echo');
  const flooder = spawn(
    process.execPath,
    [join(import.meta.dirname, 'flooder.ts'), String(server.port), '200', String(opcode), '127.0.0.2'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await new Promise((resolve) => flooder.stdout.once('data', resolve));
    await until('they are many', () => accepted.length > 200);
    const waits: number[] = [];
    for (let n = 0; n < 20; n++) {
      const sent = performance.now();
      person.say({ n });
      await until('it is answered', () => person.frames.length === n + 2);
      waits.push(performance.now() - sent);
    }
    // On a machine with nothing else to do it is a few milliseconds; without the meter it is many seconds.
    expect(waits.toSorted((a, b) => a - b).at(-2)).toBeLessThan(500);
  } finally {
    flooder.kill('SIGKILL');
  }
});
