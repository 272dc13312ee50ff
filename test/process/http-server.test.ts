import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  HEADERS_MAX,
  HTTP_CONNECTIONS_MAX,
  HTTP_CONNECTIONS_SPARE,
  REQUEST_MS,
  RESPONSE_STALLED_MS,
  UNREAD_ANSWERS_BYTES_MAX,
} from '../../src/limits.ts';
import { createHttpServer } from '../../src/process/http-server.ts';
import { until } from '../database.ts';
import { rawRequest } from '../running-api.ts';

const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
const LAST = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';

test('the requests of one connection are answered one after another', async () => {
  let atOnce = 0;
  let most = 0;
  const { url } = await serve(async (_request, response) => {
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    atOnce--;
    response.end('answer');
  });
  const answers = await rawRequest(url, GET + GET + GET + LAST);
  expect(answers.match(/answer/g)).toHaveLength(4);
  expect(most).toBe(1);
});

test('of what is sent in pieces of a few bytes behind an early answer, little is read', async () => {
  let connection: Socket | undefined;
  const { port } = await serve((request, response) => {
    connection = request.socket;
    response.writeHead(401).end('answer');
  });
  const client = await opened(port);
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.on('error', () => undefined); // it is reset in the middle of what it sends
  client.write('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
  expect(String((await once(client, 'data'))[0])).toMatch(/^HTTP\/1.1 401 /);
  client.write('1\r\n \r\n'.repeat(1024 * 1024));
  await closed;
  expect(connection?.bytesRead).toBeLessThan(1024 * 1024);
});

test('a probe that offers HTTP/2 is answered by a server that takes WebSockets', async () => {
  const server = createHttpServer(new AbortController().signal, (_request, response) => void response.end('answer'), {
    socketsMax: 1,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const offer = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, close\r\nupgrade: h2c\r\n\r\n';
  expect(await rawRequest(url, offer)).toContain('answer');
});

describe.each(['h2c', 'TLS/1.2, HTTP/2.0', 'websocket'])('an offer of %s, where it is not taken', (protocol) => {
  const offers = `connection: Upgrade\r\nupgrade: ${protocol}`;
  const offer = `GET / HTTP/1.1\r\nhost: x\r\n${offers}\r\n\r\n`;
  const answer: RequestListener = async (request, response) => response.end(`answer ${await text(request)}`);

  test('leaves the connection open for the next request', async () => {
    const client = await opened((await serve(answer)).port);
    for (const request of [GET, offer, offer, GET]) {
      client.write(request);
      expect(String((await once(client, 'data'))[0])).toMatch(/connection: keep-alive[\s\S]*answer/i);
    }
  });

  test('is answered, and what came behind it is not left waiting', async () => {
    const { url } = await serve(answer);
    for (const before of ['', GET]) {
      const answers = await rawRequest(url, before + offer + GET);
      expect(answers.match(/answer/g)).toHaveLength(before === '' ? 1 : 2);
      expect(answers).toMatch(/connection: close[\s\S]*answer $/i);
    }
  });

  test.each([
    ['a length', 'content-length: 5', 'hello'],
    ['chunks', 'transfer-encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
  ])('is answered with its body of %s, and its connection closes', async (_of, header, body) => {
    const { url } = await serve(answer);
    const post = `POST / HTTP/1.1\r\nhost: x\r\n${offers}\r\n${header}\r\n\r\n${body}`;
    expect(await rawRequest(url, post + GET)).toMatch(/^HTTP\/1.1 200[\s\S]*connection: close[\s\S]*answer hello$/i);
  });
});

test('an answer to a request whose body was not read says that the connection closes', async () => {
  const { url } = await serve((_request, response) => void response.end());
  const answer = await rawRequest(url, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n');
  expect(answer).toMatch(/connection: close/i);
});

test.each([
  ['at once', 1],
  ['after a part of it', 5],
])('a client that is refused %s while it sends its body hears the answer, and no reset', async (_when, pieces) => {
  const { port } = await serve(async (request, response) => {
    for (let n = 1; n < pieces; n++) await once(request, 'data');
    request.pause();
    response.writeHead(413).end('too large');
  });
  const client = connect(port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  const bytes = 4 * 1024 * 1024; // more than the buffers of a connection take, and soon read on a busy machine
  let heard = '';
  const ended = new Promise<string>((resolve, reject) => {
    client.setEncoding('utf8').on('data', (text) => {
      heard += text;
    });
    client.once('error', reject).once('close', () => resolve(heard));
  });
  client.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`);
  client.write(Buffer.alloc(bytes));
  expect(await ended).toMatch(/^HTTP\/1\.1 413 [\s\S]*too large/);
});

test('a request with too many headers does not reach whoever answers', async () => {
  const seen: number[] = [];
  const { url } = await serve(({ rawHeaders }, response) => {
    seen.push(rawHeaders.length / 2);
    response.end();
  });
  const ask = (count: number) => {
    const headers = Array.from({ length: count - 2 }, (_, n) => `x-${n}: 1\r\n`).join('');
    return rawRequest(url, `GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}\r\n`);
  };
  expect(await ask(HEADERS_MAX)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await ask(HEADERS_MAX + 1)).toMatch(/^HTTP\/1\.1 431 /);
  expect(seen).toEqual([HEADERS_MAX]);
});

test.each([
  ['that says so', 'GET /1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', true],
  ['with a body that nobody wants', 'POST /1 HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}', true],
  ['with too many headers', `GET /1 HTTP/1.1\r\nhost: x\r\n${'x: 1\r\n'.repeat(HEADERS_MAX)}\r\n`, false],
])(
  'what comes in one piece behind the last request of a connection, %s, is not carried out',
  async (_, last, isSeen) => {
    const seen: (string | undefined)[] = [];
    const { url } = await serve(({ url: path }, response) => {
      seen.push(path);
      response.end();
    });
    const answers = await rawRequest(url, `${last}POST /2 HTTP/1.1\r\nhost: x\r\n\r\n`);
    expect(answers.match(/^HTTP\/1\.1 \d+/gm)).toHaveLength(1);
    expect(seen).toEqual(isSeen ? ['/1'] : []);
  },
);

test('a body that goes on after its refusal is cut off soon', async () => {
  const { port } = await serve((_request, response) => void response.writeHead(413).end());
  const client = await opened(port);
  const begun = performance.now();
  client.resume().write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n');
  const timer = setInterval(() => client.writable && client.write('x'), 50);
  await once(client, 'close');
  clearInterval(timer);
  expect(performance.now() - begun).toBeLessThan(REQUEST_MS / 2); // for which its request may take
});

test('from the stop on every answer says so, also one that was under way', async () => {
  const stop = new AbortController();
  const arrived = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const { url } = await serve(async (_request, response) => {
    arrived.resolve();
    await gate.promise;
    response.end();
  }, stop.signal);
  const answer = fetch(url);
  await arrived.promise;
  stop.abort();
  gate.resolve();
  expect((await answer).headers.get('connection')).toBe('close');
  expect((await fetch(url)).headers.get('connection')).toBe('close');
});

test.each(['', 'GET / HTTP/1.1\r\nhost: x\r\n'])(
  'a request of which only %j comes is told so soon after its time',
  async (begun) => {
    const server = createHttpServer(new AbortController().signal, () => undefined, { requestMs: 100 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write(begun);
    expect(await text(client)).toMatch(/^HTTP\/1\.1 408 /);
  },
  RESPONSE_STALLED_MS / 2, // Node's own look comes after that
);

test('when connections run out, the one that was idle for longest makes room, and a busy one does not', async () => {
  const gate = Promise.withResolvers<void>();
  const { url, port } = await serve(async (request, response) => {
    if (request.url === '/slow') await gate.promise;
    response.end('answer');
  });
  const room = HTTP_CONNECTIONS_MAX - HTTP_CONNECTIONS_SPARE;
  const busy = await opened(port);
  busy.write(GET.replace('/', '/slow'));
  const used = await opened(port);
  const strangers: Socket[] = [];
  for (let n = 2; n < room; n++) strangers.push(await opened(port));
  used.write(GET);
  await once(used, 'data');

  expect(await (await fetch(url, { headers: { connection: 'close' } })).text()).toBe('answer');
  await until('the oldest made room', () => strangers[0]?.closed === true);
  expect(strangers.filter(({ closed }) => closed)).toHaveLength(1);
  gate.resolve();
  expect(String((await once(busy, 'data'))[0])).toContain('answer');
  used.write(GET);
  expect(String((await once(used, 'data'))[0])).toContain('answer');
});

test('a client that does not read its answer is disconnected, one that waits for ours is not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const gate = Promise.withResolvers<void>();
  const sockets: Socket[] = [];
  const { port, server } = await serve(async (request, response) => {
    sockets.push(request.socket);
    if (request.url !== '/slow') return void response.end(Buffer.alloc(64 * 1024 * 1024));
    await gate.promise;
    response.end('answer');
  });
  const [deaf, patient] = [await opened(port), await opened(port)];
  deaf.pause();
  deaf.write(GET);
  patient.write(GET.replace('/', '/slow'));
  await vi.waitUntil(() => sockets.length === 2);
  // Node's own timers for sockets are internal; what happens when they fire is ours.
  for (const socket of sockets) server.emit('timeout', socket);
  await vi.waitUntil(() => sockets.filter(({ destroyed }) => destroyed).length === 1);
  expect(server.timeout).toBe(RESPONSE_STALLED_MS);
  gate.resolve();
  expect(String((await once(patient, 'data'))[0])).toContain('answer');
});

test('of answers that nobody reads, those that have waited longest are dropped before they take too much memory', async () => {
  const answer = Buffer.alloc(UNREAD_ANSWERS_BYTES_MAX / 4);
  const sockets: Socket[] = [];
  const { url, port } = await serve((request, response) => {
    sockets.push(request.socket);
    response.end(answer);
  });
  for (let n = 1; n <= 8; n++) {
    const deaf = await opened(port);
    deaf.pause();
    deaf.write(GET);
    await until('it is answered', () => sockets.length === n);
  }
  await until('some are gone', () => sockets.some(({ destroyed }) => destroyed));
  const left = sockets.filter(({ destroyed }) => !destroyed);
  expect(left).toEqual(sockets.slice(-left.length));
  const unread = left.reduce((total, { writableLength }) => total + writableLength, 0);
  expect(unread).toBeLessThanOrEqual(UNREAD_ANSWERS_BYTES_MAX);
  expect(unread).toBeGreaterThan(0);
  expect(await (await fetch(url)).bytes()).toHaveLength(answer.length);
});

async function serve(answer: RequestListener, stopping = new AbortController().signal) {
  const server = createHttpServer(stopping, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `http://127.0.0.1:${port}` };
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}
