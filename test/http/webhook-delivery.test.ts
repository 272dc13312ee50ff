import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { networksOf } from '../../src/http/ssrf-guard.ts';
import { sendWebhook, type WebhookCall, webhookRetryMs } from '../../src/http/webhook-delivery.ts';
import { createWebhookSecret } from '../../src/http/webhook-signature.ts';
import {
  WEBHOOK_ANSWER_BYTES_MAX,
  WEBHOOK_INTERIM_ANSWERS_MAX,
  WEBHOOK_RETRIES_MS,
  WEBHOOK_RETRY_AFTER_MS_MAX,
  WEBHOOK_RETRY_JITTER,
} from '../../src/limits.ts';
import { until } from '../database.ts';
import { openReceiver } from '../webhook-receiver.ts';
import { TEST_CERTIFICATE } from './test-certificate.ts';

const NETWORKS = networksOf(['127.0.0.0/8']);

const SECRET = createWebhookSecret();

const callOf = (url: string): WebhookCall => ({ url, secrets: [SECRET], id: 'msg_1', body: '{"type":"note.written"}' });
const send = (url: string, limits = { connectMs: 2_000, answerMs: 2_000 }) =>
  sendWebhook(callOf(url), { networks: NETWORKS, limits });

test('a webhook arrives as a signed POST of JSON, and 2xx is delivered', async () => {
  const receiver = await openReceiver(202);
  expect(await send(receiver.url)).toEqual({ kind: 'delivered', status: 202, ms: expect.any(Number) });
  const [{ path, method, headers, body } = { headers: {} }] = receiver.received;
  expect([method, path, body]).toEqual(['POST', '/hooks?key=1', '{"type":"note.written"}']);
  expect(headers['content-type']).toBe('application/json');
  expect(new Webhook(SECRET).verify(body ?? '', headers as Record<string, string>)).toEqual({ type: 'note.written' });
});

test.each([301, 302, 307, 308])('%i is not followed, and failed', async (status) => {
  const inside = await openReceiver();
  const receiver = await openReceiver((response) => response.writeHead(status, { location: inside.url }).end());
  expect(await send(receiver.url)).toMatchObject({
    kind: 'failed',
    status,
    reason: `The answer was ${status}, a redirect, which is not followed.`,
  });
  expect(inside.received).toEqual([]);
});

test.each([400, 401, 404, 429, 500, 503])('%i is failed', async (status) => {
  expect(await send((await openReceiver(status)).url)).toMatchObject({
    kind: 'failed',
    status,
    reason: `The answer was ${status}.`,
    retryAfterMs: undefined,
  });
});

test('410 says that nobody wants it any more', async () => {
  expect(await send((await openReceiver(410)).url)).toMatchObject({ kind: 'gone', status: 410 });
});

test.each([
  ['30', 30_000],
  ['0', undefined],
  ['1000000', WEBHOOK_RETRY_AFTER_MS_MAX],
  ['soon', undefined],
  ['Sat, 01 Jan 2000 00:00:00 GMT', undefined],
])('a Retry-After of %s is heard, up to a limit', async (text, retryAfterMs) => {
  const { url } = await openReceiver((response) => response.writeHead(503, { 'retry-after': text }).end());
  expect(await send(url)).toMatchObject({ kind: 'failed', retryAfterMs });
});

describe('a receiver that misbehaves has no effect but a failed call', () => {
  test('it never answers', async () => {
    const { url } = await openReceiver(() => undefined);
    expect(await send(url, { connectMs: 2_000, answerMs: 100 })).toMatchObject({
      kind: 'failed',
      status: null,
      reason: 'No answer within 1 s.',
    });
  });

  test('it accepts no TLS connection', async () => {
    const port = await silentPort();
    expect(await send(`https://127.0.0.1:${port}/`, { connectMs: 100, answerMs: 2_000 })).toMatchObject({
      kind: 'failed',
      reason: 'No connection within 1 s.',
    });
  });

  test('it closes the connection', async () => {
    const { url } = await openReceiver((response) => response.destroy());
    expect(await send(url)).toMatchObject({ kind: 'failed', status: null, reason: 'The connection was reset.' });
  });

  test('nobody listens', async () => {
    expect(await send(`http://127.0.0.1:${await freePort()}/`)).toMatchObject({
      kind: 'failed',
      reason: 'The connection was refused.',
    });
  });

  test('it answers with what is not HTTP, or with headers that are too large', async () => {
    const port = await rawPort((socket) => socket.end('220 mail.example.com ESMTP\r\n'));
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ kind: 'failed', status: null });
    const large = await rawPort((socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`));
    expect(await send(`http://127.0.0.1:${large}/`)).toMatchObject({ kind: 'failed', status: null });
  });

  test.each(['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n'])(
    'it goes on saying that it will answer: %j',
    async (interim) => {
      const port = await rawPort((socket) => {
        socket.write(interim.repeat(WEBHOOK_INTERIM_ANSWERS_MAX + 1));
      });
      expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({
        kind: 'failed',
        reason: 'It only ever says that it will answer.',
      });
      const patient = await rawPort((socket) => {
        socket.write(`${interim.repeat(WEBHOOK_INTERIM_ANSWERS_MAX)}HTTP/1.1 204 No Content\r\n\r\n`);
      });
      expect(await send(`http://127.0.0.1:${patient}/`)).toMatchObject({ kind: 'delivered', status: 204 });
    },
  );

  test('it wants another protocol', async () => {
    const port = await rawPort((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    );
    expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({ kind: 'failed' });
  });
});

test('an answer without an end is cut off, and its status counts', async () => {
  let sent = 0;
  let ended: Promise<unknown> | undefined;
  const { url } = await openReceiver((response) => {
    response.writeHead(200);
    ended = once(response, 'close');
    const timer = setInterval(() => {
      response.write('x'.repeat(4_096));
      sent += 4_096;
    }, 1);
    response.once('close', () => clearInterval(timer));
  });
  expect(await send(url)).toMatchObject({ kind: 'delivered', status: 200 });
  await ended;
  expect(sent).toBeLessThan(100 * WEBHOOK_ANSWER_BYTES_MAX);
});

test('an answer that drips is cut off in time, and its status counts', async () => {
  const { url } = await openReceiver((response) => response.writeHead(200).write('x'));
  expect(await send(url, { connectMs: 2_000, answerMs: 1_000 })).toMatchObject({ kind: 'delivered' });
});

test('a call that a stop interrupts says that it does not know', async () => {
  const stop = new AbortController();
  const receiver = await openReceiver(() => undefined);
  const sending = sendWebhook(callOf(receiver.url), { networks: NETWORKS, signal: stop.signal });
  await until('the call has arrived', () => receiver.received.length === 1);
  stop.abort();
  expect(await sending).toEqual({ kind: 'interrupted' });
});

describe('the address', () => {
  const trusted = getCACertificates();
  beforeAll(() => setDefaultCACertificates([TEST_CERTIFICATE.cert]));
  afterAll(() => setDefaultCACertificates(trusted));

  test('that is not public is never connected to, whatever the configuration said when it was stored', async () => {
    const receiver = await openReceiver();
    const { port } = new URL(receiver.url);
    for (const url of [receiver.url, `https://127.0.0.1:${port}/`, `https://2130706433:${port}/`])
      expect(await sendWebhook(callOf(url), { networks: networksOf([]) }), url).toMatchObject({
        kind: 'failed',
        status: null,
        reason: expect.stringMatching(/^The address cannot be called: it /),
      });
    expect(receiver.received).toEqual([]);
  });

  test('that was checked is the one that is called, and TLS is for the name', async () => {
    const { port, names } = await tlsReceiver();
    let asked = 0;
    const lookup = async () => (asked++ === 0 ? ['127.0.0.1'] : ['127.0.0.2']);
    const call = callOf(`https://${TEST_CERTIFICATE.name}:${port}/in`);
    expect(await sendWebhook(call, { networks: NETWORKS, lookup })).toMatchObject({ kind: 'delivered', status: 204 });
    expect(asked).toBe(1);
    expect(names).toEqual([TEST_CERTIFICATE.name]);
  });

  test('must have a certificate for its name', async () => {
    const { port } = await tlsReceiver();
    const call = callOf(`https://other.example.com:${port}/in`);
    expect(await sendWebhook(call, { networks: NETWORKS, lookup: async () => ['127.0.0.1'] })).toMatchObject({
      kind: 'failed',
      reason: 'The certificate is for another name.',
    });
  });

  test('must have a certificate that somebody vouches for', async () => {
    setDefaultCACertificates([]);
    onTestFinished(() => setDefaultCACertificates([TEST_CERTIFICATE.cert]));
    const { port } = await tlsReceiver();
    const call = callOf(`https://${TEST_CERTIFICATE.name}:${port}/in`);
    expect(await sendWebhook(call, { networks: NETWORKS, lookup: async () => ['127.0.0.1'] })).toMatchObject({
      kind: 'failed',
      reason: 'The certificate is self-signed.',
    });
  });

  test('that rebinds to this machine after it was stored is not called', async () => {
    const { port, names } = await tlsReceiver();
    const call = callOf(`https://${TEST_CERTIFICATE.name}:8443/in`);
    const lookup = async () => ['127.0.0.1'];
    expect(await sendWebhook(call, { networks: networksOf([]), lookup })).toMatchObject({
      kind: 'failed',
      reason: 'The address is not public.',
    });
    expect([port > 0, names]).toEqual([true, []]);
  });

  test('whose first one does not answer is called at the next one', async () => {
    const { port } = await tlsReceiver();
    const call = callOf(`https://${TEST_CERTIFICATE.name}:${port}/in`);
    const lookup = async () => ['127.0.0.9', '127.0.0.1'];
    expect(await sendWebhook(call, { networks: NETWORKS, lookup })).toMatchObject({ kind: 'delivered' });
  });

  test('whose name is never looked up to the end fails in time', async () => {
    const lookup = () => new Promise<never>(() => undefined);
    const options = { networks: NETWORKS, lookup, limits: { connectMs: 50, answerMs: 100 } };
    expect(await sendWebhook(callOf('https://hooks.example.com/'), options)).toMatchObject({
      kind: 'failed',
      reason: 'The DNS does not answer.',
    });
  });
});

describe('the schedule', () => {
  const HOUR_MS = 3_600_000;

  test('goes on for more than a day, and then ends', () => {
    const waits = WEBHOOK_RETRIES_MS.map((_, failures) => webhookRetryMs(failures + 1, () => 0.5) ?? 0);
    expect(waits).toEqual([...WEBHOOK_RETRIES_MS]);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    const whole = waits.reduce((sum, ms) => sum + ms);
    expect([whole > 24 * HOUR_MS, whole < 30 * HOUR_MS]).toEqual([true, true]);
    expect(webhookRetryMs(WEBHOOK_RETRIES_MS.length + 1)).toBeUndefined();
  });

  test('is never the same for two calls', () => {
    const [first] = WEBHOOK_RETRIES_MS;
    expect(webhookRetryMs(1, () => 0)).toBe(first * (1 - WEBHOOK_RETRY_JITTER));
    expect(webhookRetryMs(1, () => 0.999_999)).toBeCloseTo(first * (1 + WEBHOOK_RETRY_JITTER), -1);
  });
});

async function tlsReceiver(): Promise<{ port: number; names: string[] }> {
  const names: string[] = [];
  const server = createTlsServer({ cert: TEST_CERTIFICATE.cert, key: TEST_CERTIFICATE.key }, (request, response) => {
    names.push((request.socket as { servername?: string }).servername ?? '');
    request.resume().once('end', () => response.writeHead(204).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, names };
}

/** Accepts connections and says nothing. */
function silentPort(): Promise<number> {
  return rawPort(() => undefined);
}

async function rawPort(answer: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
