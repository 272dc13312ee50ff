import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import pLimit from 'p-limit';
import { type WebSocket, WebSocketServer } from 'ws';
import { AppError } from '../errors.ts';
import {
  DRAIN_MS,
  SOCKET_BUFFERED_CHUNKS_MAX,
  SOCKET_FRAGMENTS_MAX,
  SOCKET_FRAME_BYTES_MAX,
  SOCKET_HELLO_MS,
  SOCKET_MESSAGES_PER_10_SECONDS_MAX,
  SOCKET_PING_MS,
  SOCKET_WORK_WAITING_MAX,
  SOCKETS_MAX,
} from '../limits.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../process/metrics.ts';
import { sendBounded } from './backpressure.ts';

/** Close codes that our clients understand; 1012 and 1013 mean: reconnect, with jitter. */
export const CLOSE = { policy: 1008, restart: 1012, busy: 1013, linkNotValid: 4001, linkExpired: 4010 } as const;

/** One client. Its messages are handled one at a time, in the order in which they arrive. */
export interface Connection {
  send(message: object): void;
  close(code: number, reason: string): void;
  /** Marks the client as identified; otherwise the socket is closed after SOCKET_HELLO_MS. */
  welcomed(): void;
}

export interface SocketHandler {
  /** An AppError is sent to the client; any other error is logged and closes the socket. */
  message(connection: Connection, message: unknown): Promise<void>;
  closed(connection: Connection): void;
}

export interface SocketEndpoint {
  /** The URL's path, for example `/chat`. */
  readonly path: string;
  readonly handler: SocketHandler;
}

export interface SocketServerOptions {
  readonly server: Server;
  readonly endpoints: readonly SocketEndpoint[];
  /** Origins whose pages may connect, in addition to the server's own. */
  readonly origins: readonly string[];
  readonly log: Log;
  readonly metrics: Metrics;
}

export function createSocketServer(options: SocketServerOptions): { close(): Promise<void> } {
  const { server, log, metrics } = options;
  const handlers = new Map(options.endpoints.map(({ path, handler }) => [path, handler]));
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: SOCKET_FRAME_BYTES_MAX,
    maxFragments: SOCKET_FRAGMENTS_MAX,
    maxBufferedChunks: SOCKET_BUFFERED_CHUNKS_MAX,
    perMessageDeflate: false, // its buffers fragment the memory of a nano until it is full
    clientTracking: true,
  });
  let stopping = false;
  metrics.gauge('sockets', 'Open WebSocket connections', () => sockets.clients.size);

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const handler = handlers.get((request.url ?? '').split('?')[0] as string);
    if (handler === undefined) return refuse(socket, '404 Not Found');
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refuse(socket, refusal);
    sockets.handleUpgrade(request, socket, head, (accepted) => serve(accepted, socket, handler, log));
  });

  function refusalOf(request: IncomingMessage): string | undefined {
    if (!isOwnOrigin(request, options.origins)) return '403 Forbidden';
    if (stopping || sockets.clients.size >= SOCKETS_MAX) return '503 Service Unavailable';
    return undefined;
  }

  const heartbeat = startHeartbeat(sockets);

  return {
    async close() {
      stopping = true;
      clearInterval(heartbeat);
      const closed = [...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of sockets.clients) socket.close(CLOSE.restart, 'restarting');
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
      }, DRAIN_MS);
      await Promise.all(closed);
      clearTimeout(timer);
    },
  };
}

/** Browsers always send the page's origin; other programs do not send one. */
function isOwnOrigin(request: IncomingMessage, origins: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  return origins.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host);
}

function refuse(socket: Duplex, status: string): void {
  const retry = status.startsWith('503') ? 'Retry-After: 5\r\n' : '';
  socket.end(`HTTP/1.1 ${status}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

function serve(socket: WebSocket, stream: Duplex, handler: SocketHandler, log: Log): void {
  const inOrder = pLimit(1);
  const holdBack = untilNextTurn(stream);
  const rate = { windowStart: performance.now(), messages: 0 };
  const hello = setTimeout(() => socket.close(CLOSE.policy, 'say hello first'), SOCKET_HELLO_MS);
  const connection: Connection = {
    send(message) {
      holdBack();
      sendBounded(socket, JSON.stringify(message));
    },
    close: (code, reason) => socket.close(code, reason),
    welcomed: () => clearTimeout(hello),
  };

  socket.on('message', (data, isBinary) => {
    if (isBinary) return socket.close(CLOSE.policy, 'text frames only');
    if (isTooFast(rate) || inOrder.pendingCount >= SOCKET_WORK_WAITING_MAX)
      return socket.close(CLOSE.policy, 'too many messages');
    const text = String(data);
    void inOrder(() => handle(text));
  });
  socket.on('close', () => {
    clearTimeout(hello);
    handler.closed(connection);
  });
  socket.on('error', (error) => log.debug({ err: error }, 'socket error')); // `close` follows

  async function handle(text: string): Promise<void> {
    try {
      await handler.message(connection, parse(text));
    } catch (error) {
      if (error instanceof AppError)
        return connection.send({ type: 'error', code: error.code, message: error.message });
      log.error({ err: error }, 'socket message failed');
      socket.close(CLOSE.busy, 'try again');
    }
  }
}

/** Frames sent in one turn of the event loop go out together: the system call costs more than the frame. */
function untilNextTurn(stream: Duplex): () => void {
  let held = false;
  return () => {
    if (held) return;
    held = true;
    stream.cork();
    process.nextTick(() => {
      held = false;
      stream.uncork();
    });
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError('invalid', 'A message must be JSON.');
  }
}

function isTooFast(rate: { windowStart: number; messages: number }): boolean {
  const now = performance.now();
  if (now - rate.windowStart > 10_000) {
    rate.windowStart = now;
    rate.messages = 0;
  }
  return ++rate.messages > SOCKET_MESSAGES_PER_10_SECONDS_MAX;
}

/** A client that has silently disappeared does not answer a ping and is terminated at the next one. */
function startHeartbeat(sockets: WebSocketServer): NodeJS.Timeout {
  const silent = new WeakSet<WebSocket>();
  return setInterval(() => {
    for (const socket of sockets.clients) {
      if (silent.has(socket)) {
        socket.terminate();
        continue;
      }
      silent.add(socket);
      socket.ping();
      socket.once('pong', () => silent.delete(socket));
    }
  }, SOCKET_PING_MS).unref();
}
