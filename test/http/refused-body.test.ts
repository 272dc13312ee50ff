import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ApiClient } from '../api-client.ts';
import { until } from '../database.ts';
import { type RunningApi, runApi } from '../running-api.ts';

// A busy machine takes longer over a body than a refused client has.
vi.mock('../../src/limits.ts', async (original) => {
  const limits = await original<typeof import('../../src/limits.ts')>();
  return { ...limits, REFUSED_BODY_LINGER_MS: 5_000 };
});

const MB = 1024 * 1024;

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
});
afterAll(() => api.stop());

test('a client that sends all of a body that is too large gets its 413, every time', async () => {
  for (let n = 0; n < 20; n++) {
    const { answer, error } = await sendBody('/api/v1/notes', 20 * MB);
    expect(error).toBeUndefined();
    expect(answer).toMatch(/^HTTP\/1.1 413 .*"code":"too_large"/s);
  }
});

test('a client without a valid token gets its 401 the same way', async () => {
  const { answer, error } = await sendBody('/api/v1/notes', 5 * MB, 'not a token');
  expect(error).toBeUndefined();
  expect(answer).toMatch(/^HTTP\/1.1 401 /);
});

test('a client that sends for ever is cut off', async () => {
  const socket = connectTo();
  let cut = false;
  socket.on('close', () => (cut = true)).on('error', () => undefined);
  socket.write(head('/api/v1/notes', 1_000_000 * MB, owner.token));
  const chunk = Buffer.alloc(MB, ' ');
  while (!cut) if (!socket.write(chunk)) await drainedOrClosed(socket);
});

type Answer = { answer: string; error?: unknown };

/** Whatever the server answers, all of the body is sent, as most clients do. */
async function sendBody(path: string, bytes: number, token = owner.token): Promise<Answer> {
  const socket = connectTo();
  let answer = '';
  let error: unknown;
  socket.setEncoding('utf8').on('data', (text) => (answer += text));
  socket.on('error', (cause) => (error = cause));
  socket.write(head(path, bytes, token));
  for (let left = bytes; left > 0 && !socket.destroyed; left -= MB)
    if (!socket.write(Buffer.alloc(Math.min(MB, left), ' '))) await drainedOrClosed(socket);
  await until('the answer', () => answer.includes('HTTP/1.1') || socket.destroyed);
  socket.destroy();
  return error === undefined ? { answer } : { answer, error };
}

async function drainedOrClosed(socket: Socket): Promise<void> {
  const either = new AbortController();
  const events = ['drain', 'close'].map((event) => once(socket, event, { signal: either.signal }));
  await Promise.race(events).catch(() => undefined);
  either.abort();
  await Promise.allSettled(events);
}

function connectTo() {
  const { hostname, port } = new URL(api.url);
  return connect(Number(port), hostname);
}

function head(path: string, bytes: number, token: string): string {
  const headers = [`host: x`, `authorization: Bearer ${token}`, 'content-type: application/json'];
  return `POST ${path} HTTP/1.1\r\n${[...headers, `content-length: ${bytes}`].join('\r\n')}\r\n\r\n`;
}
