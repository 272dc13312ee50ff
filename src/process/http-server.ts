/**
 * What it is: the HTTP server of every process: how long connections live, how many there are, and how they end.
 * What fails without it: a client that sends a thousand requests down one connection has a thousand answered at once;
 *   connections that do nothing take all the places of those that would; a client that does not read keeps its answer
 *   in memory; and whoever reuses a connection after SIGTERM is cut off in the middle of a request.
 * How it works: the requests of one connection are answered one after another. When connections run out, the one that
 *   has been idle for longest is closed for the new one. An answer says `connection: close` when the process is
 *   stopping, and when the request's body was not read: nobody waits for a body that nobody wants. What still comes of
 *   it is dropped for a moment, because the kernel answers it with a reset otherwise, and many clients then report that
 *   instead of the answer. An offer of another protocol is ignored; Node loses what came behind it in the same packet, so
 *   the answer says `connection: close` where something may have, and the client sends that again.
 * What it costs: a few set operations and listeners per request.
 * Its bound: HTTP_CONNECTIONS_MAX, PIPELINED_REQUESTS_MAX, HEADERS_MAX, HEADERS_MS, KEEP_ALIVE_MS, RESPONSE_STALLED_MS,
 *   REQUEST_CHECK_MS, UNREAD_ANSWERS_BYTES_MAX, REFUSED_BODY_LINGER_MS, REFUSED_BODIES_BYTES_PER_SECOND_MAX.
 * Its proof: test/process/http-server.test.ts, test/process/paced-drop.test.ts, test/http/slow-client.test.ts.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  HEADER_BYTES_MAX,
  HEADERS_MAX,
  HEADERS_MS,
  HTTP_CONNECTIONS_MAX,
  HTTP_CONNECTIONS_SPARE,
  KEEP_ALIVE_MS,
  PIPELINED_REQUESTS_MAX,
  REFUSED_BODY_LINGER_MS,
  REQUEST_CHECK_MS,
  REQUEST_MS,
  RESPONSE_STALLED_MS,
  UNREAD_ANSWERS_BYTES_MAX,
} from '../limits.ts';
import { createPacedDrop } from './paced-drop.ts';

export interface HttpServerOptions {
  /** How long a whole request may take to arrive. */
  readonly requestMs?: number;
  /** Connections that become WebSockets: they have their own limits, so they do not count here. */
  readonly socketsMax?: number;
}

export function createHttpServer(
  stopping: AbortSignal,
  answer: RequestListener,
  { requestMs = REQUEST_MS, socketsMax = 0 }: HttpServerOptions = {},
): Server {
  const idle = new Set<Socket>();
  const hold = createHold(answer);
  const listener = oneAtATime(hold.listener, idle, limitUnreadAnswers());
  const server = createServer(
    {
      requestTimeout: requestMs,
      headersTimeout: Math.min(HEADERS_MS, requestMs),
      connectionsCheckingInterval: REQUEST_CHECK_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      requireHostHeader: false, // Node answers by itself, without a body: src/http/host-header.ts says what is wrong
      keepAliveTimeout: KEEP_ALIVE_MS,
      ServerResponse: createResponseClass(stopping),
      // Some programs offer HTTP/2 this way with any request, also with a health probe.
      ...(socketsMax > 0 ? { shouldUpgradeCallback: isWebSocket } : {}),
    },
    listener,
  );
  server.maxHeadersCount = HEADERS_MAX; // Node reads no further, and refuses the request as one that it cannot read
  server.maxConnections = HTTP_CONNECTIONS_MAX + socketsMax;
  // Without a listener Node asks for every body at once: 100 Continue is sent when one is wanted (src/http/slow-client.ts).
  server.on('checkContinue', listener);
  // Any other expectation Node would refuse by itself, without a body. RFC 9110 10.1.1 lets it be ignored.
  server.on('checkExpectation', listener);
  endStalledAnswers(server, idle);
  makeRoom(server, idle, socketsMax > 0);
  idleOf.set(server, idle);
  holdOf.set(server, hold);
  return server;
}

/** From now on requests wait. Returns the function that serves them, and all later ones as before. */
export function holdRequests(server: Server): () => void {
  return holdOf.get(server)?.begin() ?? (() => undefined);
}

/** Closes connections that never sent anything: a browser opens some in advance, and they would be waited for. */
export function closeUnused(server: Server): void {
  for (const socket of idleOf.get(server) ?? []) if (socket.bytesRead === 0) socket.destroy();
}

function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Whether a body follows the headers. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}

/** For a body whose connection is paused: nothing more of it is read, also when its answer has been given. */
export function leaveUnread(request: IncomingMessage): void {
  leftUnread.add(request);
  request.unpipe();
}

const leftUnread = new WeakSet<IncomingMessage>();

/** Whether the client waits for 100 Continue. One of HTTP/1.0 would take it for the answer. */
export function isContinueWanted({ headers, httpVersionMinor }: IncomingMessage): boolean {
  return httpVersionMinor > 0 && /^100-continue$/i.test(headers.expect ?? '');
}

const idleOf = new WeakMap<Server, ReadonlySet<Socket>>();
const holdOf = new WeakMap<Server, ReturnType<typeof createHold>>();

function createHold(answer: RequestListener) {
  let held: Parameters<RequestListener>[] | undefined;
  const listener: RequestListener = (request, response) => {
    if (held === undefined) answer(request, response);
    else held.push([request, response]);
  };
  return {
    listener,
    begin(): () => void {
      held = [];
      return () => {
        const waiting = held ?? [];
        held = undefined;
        for (const [request, response] of waiting) if (!response.destroyed) answer(request, response);
      };
    },
  };
}

/** Node would answer all requests of a connection at once, as they arrive. `idle`: connections without a request. */
function oneAtATime(
  answer: RequestListener,
  idle: Set<Socket>,
  watchAnswer: (socket: Socket, response: ServerResponse) => void,
): RequestListener {
  const waitingOn = new WeakMap<Socket, Parameters<RequestListener>[]>();
  const bytesBefore = new WeakMap<Socket, number>(); // all that had come when the connection became idle

  function serve(socket: Socket, request: IncomingMessage, response: ServerResponse): void {
    response.once('close', () => serveNext(socket));
    watchAnswer(socket, response);
    answer(request, response as Parameters<RequestListener>[1]);
  }

  function serveNext(socket: Socket): void {
    const next = isOver(socket) ? undefined : waitingOn.get(socket)?.shift();
    if (next === undefined) {
      waitingOn.delete(socket);
      bytesBefore.set(socket, socket.bytesRead);
      if (!socket.destroyed) idle.add(socket);
    } else serve(socket, ...next);
  }

  return (request, response) => {
    const { socket } = request;
    if (isOver(socket)) return;
    const waiting = waitingOn.get(socket);
    if (request.headers.upgrade !== undefined && !isAlone(request, bytesBefore.get(socket)))
      response.shouldKeepAlive = false;
    if (waiting === undefined) {
      waitingOn.set(socket, []);
      idle.delete(socket);
      serve(socket, request, response);
    } else if (waiting.length < PIPELINED_REQUESTS_MAX) {
      waiting.push([request, response]);
    } else {
      socket.destroy();
    }
  };
}

/** Whether the last answer has been given. What was sent behind its request can get none, so it must not be carried out. */
function isOver(socket: Socket): boolean {
  return socket.destroyed || socket.writableEnded;
}

/** Whether the connection has brought this request without a body, written as programs write it, and nothing else since. */
function isAlone(request: IncomingMessage, bytesBefore = 0): boolean {
  const { method, url, httpVersion, rawHeaders, socket } = request;
  const line = `${method} ${url} HTTP/${httpVersion}\r\n`.length;
  const headers = rawHeaders.reduce((bytes, part) => bytes + part.length + 2, 0); // ': ' or CRLF behind each
  return !hasBody(request) && socket.bytesRead - bytesBefore === line + headers + 2;
}

/** In writeHead, because only then it is known whether the body has come and whether the process is stopping. */
function createResponseClass(stopping: AbortSignal): typeof ServerResponse {
  const drop = createPacedDrop();
  class PoliteResponse extends ServerResponse<IncomingMessage> {
    // biome-ignore lint/suspicious/noExplicitAny: the three overloads of the original
    override writeHead(...given: any[]): this {
      const isRefused = !this.req.complete && hasBody(this.req);
      if (stopping.aborted || isRefused) this.shouldKeepAlive = false;
      if (isRefused) lingerOn(this.req, drop);
      return super.writeHead(...(given as Parameters<ServerResponse['writeHead']>));
    }
  }
  return PoliteResponse as unknown as typeof ServerResponse;
}

/** Node closes a connection by `destroySoon` when its last answer has been handed over. */
function lingerOn(request: IncomingMessage, drop: (body: IncomingMessage) => void): void {
  const { socket } = request;
  request.read(0); // what nobody has begun to read, Node reads after the answer by itself, as fast as it comes
  socket.destroySoon = () => {
    socket.end();
    request.unpipe();
    if (!leftUnread.has(request)) drop(request);
    const timer = setTimeout(() => socket.destroy(), REFUSED_BODY_LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
    const destroy = () => void (socket.writableFinished ? socket.destroy() : socket.once('finish', destroy));
    request.once('end', destroy);
    socket.once('end', destroy);
  };
}

/**
 * Of answers that were given as a whole, the part that the kernel has not taken is in our memory. When it becomes too
 * much, the connection that has kept its answer for longest is closed, and never the one that has just been given its own.
 */
function limitUnreadAnswers(): (socket: Socket, response: ServerResponse) => void {
  const unread = new Map<Socket, number>();
  let bytes = 0;
  const forget = (socket: Socket) => {
    bytes -= unread.get(socket) ?? 0;
    unread.delete(socket);
  };
  return (socket, response) => {
    response.once('prefinish', () => {
      if (socket.writableLength === 0) return;
      unread.set(socket, socket.writableLength);
      bytes += socket.writableLength;
      response.once('close', () => forget(socket));
      for (const longest of unread.keys()) {
        if (bytes <= UNREAD_ANSWERS_BYTES_MAX || longest === socket) break;
        forget(longest);
        longest.destroy();
      }
    });
  };
}

/** A timeout is a time without any traffic. Waiting for our own work is fine; a client that reads nothing is not. */
function endStalledAnswers(server: Server, idle: ReadonlySet<Socket>): void {
  server.setTimeout(RESPONSE_STALLED_MS, (socket: Socket) => {
    const works = !idle.has(socket) && socket.writableLength === 0;
    if (works) socket.setTimeout(RESPONSE_STALLED_MS);
    else socket.destroy();
  });
}

/** Closes the connection that has been idle for longest while more than HTTP_CONNECTIONS_MAX - HTTP_CONNECTIONS_SPARE are open. */
function makeRoom(server: Server, idle: Set<Socket>, withSockets: boolean): void {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    idle.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      idle.delete(socket);
    });
    if (open.size <= HTTP_CONNECTIONS_MAX - HTTP_CONNECTIONS_SPARE) return;
    const [longest] = idle;
    if (longest !== socket) longest?.destroy();
  });
  if (!withSockets) return;
  server.on('upgrade', (_request, socket: Socket) => {
    open.delete(socket);
    idle.delete(socket);
  });
}
