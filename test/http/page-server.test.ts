import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createPageServer } from '../../src/http/page-server.ts';
import { loadPages } from '../../src/http/pages.ts';
import { createHealth } from '../../src/process/health-check.ts';
import { createMetrics } from '../../src/process/metrics.ts';

const server = createPageServer({
  pages: loadPages([]),
  prefixes: {},
  posts: { '/fails': () => Promise.reject(new Error('It fails')) },
  health: createHealth(new AbortController().signal),
  metrics: createMetrics('test'),
});
afterEach(() => server.close());

test.each([
  ['GET', '/livez', 200],
  ['PUT', '/livez', 405],
  ['GET', '/fails', 405],
  ['POST', '/fails', 500],
])('an answer that is not a page is data, for which a browser loads nothing: %s %s', async (method, path, status) => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { method });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

test('a probe with the address in front of its path, as to a proxy, is a probe', async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n');
  const [answer] = await once(socket, 'data');
  socket.destroy();
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
});

test('a request that offers HTTP/2 is answered, and only a WebSocket is an upgrade', async () => {
  const upgrades: string[] = [];
  server.on('upgrade', (request, socket) => {
    upgrades.push(request.headers.upgrade ?? '');
    socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const answerTo = async (upgrade: string) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    socket.destroy();
    return String(answer).slice(0, 'HTTP/1.1 200'.length);
  };
  expect(await answerTo('h2c')).toBe('HTTP/1.1 200');
  expect(await answerTo('WebSocket')).toBe('HTTP/1.1 404');
  expect(upgrades).toEqual(['WebSocket']);
});
