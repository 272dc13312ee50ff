import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SOCKET_HELLO_MS, SOCKET_PER_10_SECONDS_MAX } from '../../src/limits.ts';
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

const FLOODERS = 200;
/** What Node reads ahead while a stream is paused: a chunk in hand, and a full buffer. */
const READ_AHEAD_BYTES = 256 * 1024;
const KINDS = Object.entries({ ...OPCODE, 'empty fragments': 0 });

test.each(KINDS)('a flood of %s is cut off after a few, and is not read from then on', async (_, opcode) => {
  const client = await openRaw(server.port);
  const chunk = Buffer.concat(Array.from({ length: 10_000 }, () => frameOf(opcode)));
  const fill = () => {
    while (!client.destroyed && client.write(chunk));
  };
  client.on('drain', fill);
  fill();
  const [served] = accepted;
  await until('the server has ended it', () => served?.destroyed, SOCKET_HELLO_MS / 2); // and not because it said no hello
  expect(served?.bytesRead).toBeLessThan(READ_AHEAD_BYTES);
  client.destroy();
});

test.each([
  ['a frame that is not valid', Buffer.of(0xff, 0xff)],
  ['a frame that is too large', Buffer.of(0x81, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0)],
  ['its close', frameOf(8, '\u0003\u00e8')],
])('what a client sends after %s is not read either', async (_, first) => {
  const client = await openRaw(server.port);
  client.write(first);
  await new Promise((resolve) => client.once('data', resolve)); // the server's close
  const chunk = Buffer.alloc(64 * 1024);
  const fill = () => {
    while (!client.destroyed && client.write(chunk));
  };
  client.on('drain', fill);
  fill();
  const [served] = accepted;
  await until('the server has ended it', () => served?.destroyed);
  expect(served?.bytesRead).toBeLessThan(READ_AHEAD_BYTES);
  client.destroy();
});

test('a flooder hears why it was cut off', async () => {
  const client = await openSocket(`${server.address}/echo`);
  for (let ping = 0; ping < 500; ping++) client.socket.ping();
  expect(await client.closed).toEqual({ code: 1008, reason: 'too many messages' });
});

test('as many pings as a client may send are answered, also when all of them come at once', async () => {
  const client = await openRaw(server.port);
  client.write(frameOf(OPCODE.text, '{}'));
  await new Promise((resolve) => client.once('data', resolve)); // the echo
  const pings = SOCKET_PER_10_SECONDS_MAX.frames - 1;
  const pong = Buffer.of(0x80 | OPCODE.pong, 0);
  let answered = 0;
  client.on('data', (chunk: Buffer) => {
    answered += chunk.length / pong.length;
  });
  client.write(Buffer.concat(Array.from({ length: pings }, () => frameOf(OPCODE.ping))));
  await until('they are answered', () => client.readableEnded || answered === pings);
  expect([answered, client.readableEnded]).toEqual([pings, false]);
  client.destroy();
});

test.each(KINDS)(`${FLOODERS} sockets that flood with %s do not keep another person waiting`, async (_, opcode) => {
  const person = await openSocket(`${server.address}/echo`);
  person.say({ n: -1 });
  await person.heard((frame) => frame.type === 'echo');
  const flooder = spawn(
    process.execPath,
    [join(import.meta.dirname, 'flooder.ts'), String(server.port), String(FLOODERS), String(opcode), '127.0.0.2'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await new Promise((resolve) => flooder.stdout.once('data', resolve));
    await until('they are many', () => accepted.length > FLOODERS);
    const began = performance.now();
    const before = accepted.length;
    const waits: number[] = [];
    for (let n = 0; n < 20; n++) {
      const sent = performance.now();
      person.say({ n });
      await until('it is answered', () => person.frames.length === n + 2);
      waits.push(performance.now() - sent);
    }
    // A few milliseconds on a machine with nothing else to do; a single wait says more about the machine than about us.
    expect(waits.toSorted((a, b) => a - b)[10]).toBeLessThan(500);
    // Each is held for a second before it can come back, and is not read meanwhile.
    const seconds = (performance.now() - began) / 1_000;
    expect(accepted.length - before).toBeLessThanOrEqual(FLOODERS * (seconds + 2));
    const most = Math.max(...accepted.map(({ bytesRead }) => bytesRead));
    expect(most).toBeLessThan(READ_AHEAD_BYTES);
  } finally {
    flooder.kill('SIGKILL');
  }
});
