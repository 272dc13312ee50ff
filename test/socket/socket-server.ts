import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createPageServer } from '../../src/http/page-server.ts';
import { loadPages } from '../../src/http/pages.ts';
import type { Log } from '../../src/log.ts';
import { createLog } from '../../src/log.ts';
import { createHealth } from '../../src/process/health-check.ts';
import { createMetrics, type Metrics } from '../../src/process/metrics.ts';
import type { AccessWatch } from '../../src/socket/access-watch.ts';
import { type AdmissionLimits, admissionLimits } from '../../src/socket/admission.ts';
import type { SocketEndpoint, SocketHandler } from '../../src/socket/connection.ts';
import { createDoor } from '../../src/socket/door.ts';
import type { RebalancingTiming } from '../../src/socket/rebalancing.ts';
import { createSocketServer } from '../../src/socket/server.ts';
import { createTicketExchanges } from '../../src/socket/ticket-exchange.ts';

export const OWN_ORIGIN = 'https://pages.example.test';

export interface TestSocketServer {
  readonly http: Server;
  /** Begins with http: and has no path. */
  readonly address: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** The stop of the sockets alone. */
  stopSockets(): Promise<void>;
  close(): Promise<void>;
}

export interface TestSocketServerOptions {
  readonly handler?: Partial<SocketHandler>;
  readonly endpoints?: readonly SocketEndpoint[];
  readonly admission?: Partial<AdmissionLimits>;
  readonly origins?: readonly string[];
  readonly proxyHops?: number;
  readonly log?: Log;
  readonly rebalancing?: RebalancingTiming;
  readonly access?: AccessWatch;
}

/** Without a handler, every message is welcomed and sent back as `{ type: 'echo', message }`. At `/echo`. */
export async function startSocketServer(options: TestSocketServerOptions = {}): Promise<TestSocketServer> {
  const handler: SocketHandler = { message: echo, closed: () => undefined, ...options.handler };
  const metrics = createMetrics('test');
  const endpoints = [{ path: '/echo', handler }, ...(options.endpoints ?? [])];
  const door = createDoor({
    origins: options.origins ?? [OWN_ORIGIN],
    admission: { ...admissionLimits(1_000), ...options.admission },
    proxyHops: options.proxyHops ?? 0,
  });
  const posts = createTicketExchanges(endpoints, door);
  const health = createHealth(new AbortController().signal);
  // Where there are no tickets a bare server, which takes every upgrade for one, is the harder test.
  const http =
    Object.keys(posts).length > 0
      ? createPageServer({ pages: loadPages([]), prefixes: {}, posts, health, metrics })
      : createServer((_, response) => response.end('page'));
  const sockets = createSocketServer({
    ...{ server: http, endpoints, door, metrics },
    ...(options.rebalancing ? { rebalancing: options.rebalancing } : {}),
    ...(options.access ? { access: options.access } : {}),
    log: options.log ?? createLog('test', 'silent'),
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return {
    ...{ http, port, metrics, address: `http://127.0.0.1:${port}` },
    stopSockets: () => sockets.close(),
    async close() {
      await sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

const echo: SocketHandler['message'] = async (connection, message) => {
  connection.welcomed();
  connection.send({ type: 'echo', message });
};

/** A client that speaks TCP itself, so that it can be as rude as it likes. Its errors are expected. */
export async function openTcp(port: number, localAddress?: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...(localAddress ? { localAddress } : {}) });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

export function upgradeRequest(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A raw client that has been upgraded. */
export async function openRaw(port: number, localAddress?: string): Promise<Socket> {
  const socket = await openTcp(port, localAddress);
  socket.write(upgradeRequest('/echo'));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.on('data', () => undefined);
  return socket;
}

export const OPCODE = { text: 1, ping: 9, pong: 10 } as const;

/** One frame of a client, masked with zeros. */
export function frameOf(opcode: number, payload = ''): Buffer {
  const bytes = Buffer.from(payload);
  const length =
    bytes.length < 126 ? Buffer.of(0x80 | bytes.length) : Buffer.of(0x80 | 126, bytes.length >> 8, bytes.length & 0xff);
  return Buffer.concat([Buffer.of(0x80 | opcode), length, Buffer.alloc(4), bytes]);
}

/** Resolves when the server has ended the connection. */
export function endOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || socket.readableEnded) return resolve();
    socket.once('end', resolve);
    socket.once('close', () => resolve());
  });
}
