import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { AppError } from '../errors.ts';
import { createLogStorm } from '../flow/log-storm.ts';
import { createOrderedQueue } from '../flow/ordered-queue.ts';
import {
  DRAIN_MS,
  SOCKET_BUFFERED_CHUNKS_MAX,
  SOCKET_CLOSE_MS,
  SOCKET_CUT_OFF_COST,
  SOCKET_DRAIN_MS,
  SOCKET_DRAIN_PER_TICK_MIN,
  SOCKET_DRAIN_TICK_MS,
  SOCKET_FRAGMENTS_MAX,
  SOCKET_FRAME_BYTES_MAX,
  SOCKET_HELLO_MS,
  SOCKET_PER_10_SECONDS_MAX,
  SOCKET_STRANGER_PER_10_SECONDS_MAX,
  SOCKET_WORK_PAUSE,
  SOCKET_WORK_WAITING_MAX,
} from '../limits.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../process/metrics.ts';
import type { Place } from './admission.ts';
import { sendBounded } from './backpressure.ts';
import type { Door } from './door.ts';
import { createFrameMeter, type FrameLimits } from './frame-meter.ts';
import { type Pinged, startHeartbeat } from './heartbeat.ts';
import { errorFrame, isAboutMessage, parseMessage } from './message.ts';
import { type Movable, type RebalancingTiming, startRebalancing } from './rebalancing.ts';
import { createRefusals, destroyLater, expectErrors, type Refusal } from './refusal.ts';
import { retryAfterMs, retryReason, returnAfterMs } from './retry-hint.ts';
import { readThrough, untilNextTurn } from './stream.ts';
import { TICKET_PROTOCOL, ticketOf } from './ticket.ts';
import type { Ticketing } from './ticket-exchange.ts';

/**
 * Close codes that our clients understand. 1012 and 1013 mean: reconnect, after the time in the reason (`retry after <ms>
 * ms`) and with jitter.
 */
export const CLOSE = { policy: 1008, restart: 1012, busy: 1013, linkNotValid: 4001, linkExpired: 4010 } as const;

/** One client. Its messages are handled one at a time, in the order in which they arrive. */
export interface Connection<Grants = unknown> {
  /** What its ticket allows; undefined at an endpoint without tickets. */
  readonly grants: Grants;
  send(message: object): void;
  /** A message that is already serialised. To send one to many, see `broadcast`. */
  sendJson(json: Buffer): void;
  /** From then on nothing is handled or sent, and the socket ends within SOCKET_CLOSE_MS. */
  close(code: number, reason: string): void;
  /** Marks the client as identified; otherwise it is a stranger, with small limits, and closed after SOCKET_HELLO_MS. */
  welcomed(): void;
  /**
   * Limits how many connections there are per key, for example per link. False if there are `connectionsMax` already. A
   * connection has one key at a time.
   */
  join(key: string, connectionsMax: number): boolean;
}

export interface SocketHandler<Grants = unknown> {
  /**
   * An AppError about this message (`invalid`, `conflict`, …) is sent to the client. After `overloaded`, `rate_limited`
   * and any other error nothing else of this client is handled: it is told when to come back, and closed with 1013.
   */
  message(connection: Connection<Grants>, message: unknown): Promise<void>;
  /** Called once, when the socket has ended and its last message is handled. */
  closed(connection: Connection<Grants>): void;
}

export interface SocketEndpoint {
  /** The URL's path, for example `/chat`. */
  readonly path: string;
  readonly handler: SocketHandler;
  /** Then only clients with a ticket get in, and nobody with one waits for strangers. */
  readonly ticketing?: Ticketing;
  /** When the youngest other process was first heard of (performance.now()); clients that came earlier are moved. */
  readonly othersSince?: () => number;
}

export interface SocketServerOptions {
  readonly server: Server;
  readonly endpoints: readonly SocketEndpoint[];
  readonly door: Door;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly rebalancing?: RebalancingTiming;
}

export function createSocketServer(options: SocketServerOptions): { close(): Promise<void> } {
  const { server, door, log, metrics } = options;
  const { admission } = door;
  const endpoints = new Map(options.endpoints.map((endpoint) => [endpoint.path, endpoint]));
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: SOCKET_FRAME_BYTES_MAX,
    maxFragments: SOCKET_FRAGMENTS_MAX,
    maxBufferedChunks: SOCKET_BUFFERED_CHUNKS_MAX,
    ...({ closeTimeout: SOCKET_CLOSE_MS } as object), // which its types do not know yet
    perMessageDeflate: false, // its buffers fragment the memory of a nano until it is full
    clientTracking: false,
    // None but ours: a client that insists on another one must not believe that it got it.
    handleProtocols: (offered, request) =>
      offered.has(TICKET_PROTOCOL) && endpointOf(request)?.ticketing !== undefined && TICKET_PROTOCOL,
  });
  const heartbeat = startHeartbeat();
  const refuse = createRefusals();
  const clients = new Set<Client>();
  const moved = metrics.counter('sockets_moved', 'Clients that were told to connect again because of a new process');
  const othersSince = () =>
    Math.max(...options.endpoints.map((endpoint) => endpoint.othersSince?.() ?? Number.NEGATIVE_INFINITY));
  const stopRebalancing = startRebalancing(clients, othersSince, options.rebalancing);
  const services: Services = {
    ...{ log, moved },
    logFailure: createLogStorm((fields, text) => log.error(fields, text), 'socket message failed'),
  };
  const refused = metrics.counter('sockets_refused', 'Upgrades to WebSocket that were refused');
  metrics.gauge('sockets', 'Open WebSocket connections', () => clients.size);
  metrics.gauge('sockets_strangers', 'Those that were not welcomed yet and are silent', () => admission.strangers);

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    expectErrors(stream);
    void upgrade(request, stream, head).then(
      (refusal) => {
        if (refusal === undefined) return;
        refused.inc();
        refuse(stream, refusal);
      },
      (error) => {
        services.logFailure(error);
        stream.destroy();
      },
    );
  });

  const endpointOf = ({ url = '' }: IncomingMessage) => endpoints.get(url.split('?')[0] as string);

  async function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<Refusal | undefined> {
    const endpoint = endpointOf(request);
    if (endpoint === undefined) return { status: 404 };
    const refusal = door.refusalOf(request);
    if (refusal !== undefined) return refusal;
    const ticket = endpoint.ticketing?.desk.check(ticketOf(request) ?? '');
    const address = door.networkOf(request);
    if (endpoint.ticketing !== undefined && ticket === undefined) return admission.knock(address) ?? NO_TICKET;

    let client: Client | undefined;
    const isKnown = ticket !== undefined;
    const place = admission.enter(address, () => client?.sendAway(), { isKnown });
    if ('status' in place) return place;
    const late = ticket === undefined || (await ticket.redeem()) ? door.refusalOf(request) : NO_TICKET;
    if (late !== undefined) {
      place.leave();
      return late;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      client = serve(socket, stream, endpoint, ticket?.grants, place, services);
    });
    // Not a WebSocket after all: ws has answered.
    if (client === undefined) {
      place.leave();
      destroyLater(stream);
      return undefined;
    }
    keep(client, place);
    return undefined;
  }

  function keep(client: Client, place: Place): void {
    clients.add(client);
    const stopPinging = heartbeat.add(client);
    void client.ended.then(() => {
      clients.delete(client);
      stopPinging();
      place.leave();
    });
  }

  return {
    async close() {
      door.shut();
      heartbeat.stop();
      stopRebalancing();
      const timer = setTimeout(() => {
        for (const client of clients) client.terminate();
      }, DRAIN_MS);
      await sendHome([...clients]);
      clearTimeout(timer);
    },
  };
}

const NO_TICKET: Refusal = { status: 401 };

/** A few at a time: clients that are all sent away at once would all come back at once. */
async function sendHome(clients: readonly Client[]): Promise<void> {
  const ticks = SOCKET_DRAIN_MS / SOCKET_DRAIN_TICK_MS;
  const perTick = Math.max(SOCKET_DRAIN_PER_TICK_MIN, Math.ceil(clients.length / ticks));
  for (let from = 0; from < clients.length; from += perTick) {
    if (from > 0) await sleep(SOCKET_DRAIN_TICK_MS);
    for (const client of clients.slice(from, from + perTick)) void client.finish(returnAfterMs(clients.length));
  }
  await Promise.all(clients.map(({ ended }) => ended));
}

interface Services {
  readonly log: Log;
  readonly moved: { inc(): void };
  logFailure(error: unknown): void;
}

interface Client extends Pinged, Movable {
  /** Handles what has arrived, acknowledges it, and then closes with 1012. */
  finish(retryMs: number): Promise<void>;
  /** For a client that has said nothing, when another one needs the place. */
  sendAway(): void;
  readonly ended: Promise<void>;
}

function serve(
  socket: WebSocket,
  stream: Duplex,
  { path, handler }: SocketEndpoint,
  grants: unknown,
  place: Place,
  { log, logFailure, moved }: Services,
): Client {
  const holdBack = untilNextTurn(stream);
  const meter = createFrameMeter();
  const queue = createOrderedQueue<string>({ waitingMax: SOCKET_WORK_WAITING_MAX, handle, failed });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let limits: FrameLimits = SOCKET_STRANGER_PER_10_SECONDS_MAX;
  let isWelcome = false;
  let wasHeard = true;
  /** What arrives is not even parsed. */
  let isDeaf = false;
  let isFinishing = false;
  const hello = setTimeout(() => close(CLOSE.policy, 'say hello first'), SOCKET_HELLO_MS);

  const connection: Connection = {
    grants,
    send: (message) => sendJson(Buffer.from(JSON.stringify(message))),
    sendJson,
    close,
    welcomed() {
      clearTimeout(hello);
      isWelcome = true;
      limits = SOCKET_PER_10_SECONDS_MAX;
      place.setStranger(false);
    },
    join: (key, connectionsMax) => place.join(`${path} ${key}`, connectionsMax),
  };

  readThrough(stream, (chunk, parse) => {
    wasHeard = true;
    if (isDeaf) return void stream.pause();
    if (!meter.admit(chunk, limits)) return cutOff();
    parse(chunk);
    if (meter.hasClosed) isDeaf = true;
  });
  socket.on('message', (data, isBinary) => {
    if (socket.readyState !== socket.OPEN) return;
    if (isBinary) return close(CLOSE.policy, 'text frames only');
    place.setStranger(false);
    if (!queue.add(String(data)) && !isFinishing) return close(CLOSE.policy, 'too many messages');
    if (queue.waiting >= SOCKET_WORK_PAUSE) socket.pause();
  });
  socket.on('error', (error) => {
    isDeaf = true;
    log.debug({ err: error }, 'socket error'); // `close` follows
  });
  socket.on('close', () => {
    clearTimeout(hello);
    void queue.finish().then(() => handler.closed(connection));
    end();
  });
  stream.once('end', () => destroyLater(stream));
  // At the end ws parses what was not read yet, without us.
  stream.prependOnceListener('close', () => {
    if (isDeaf) stream.read();
    isDeaf = true;
  });

  async function handle(text: string): Promise<void> {
    try {
      await handler.message(connection, parseMessage(text));
    } catch (error) {
      if (!isAboutMessage(error)) throw error;
      connection.send(errorFrame(error, text));
    }
    if (!isWelcome && queue.waiting === 0) place.setStranger(true);
    if (queue.waiting < SOCKET_WORK_PAUSE && socket.isPaused && !isDeaf) socket.resume();
  }

  function failed(error: unknown, text: string): void {
    if (!(error instanceof AppError)) logFailure(error);
    const told = error instanceof AppError ? error : new AppError('internal', 'Something went wrong. Try again soon.');
    const retryMs = retryAfterMs(told.retryAfterSeconds);
    connection.send({ ...errorFrame(told, text), retryAfterMs: retryMs });
    close(CLOSE.busy, retryReason(retryMs));
  }

  function sendJson(json: Buffer): void {
    if (socket.readyState !== socket.OPEN) return;
    holdBack();
    sendBounded(socket, json);
  }

  function close(code: number, reason: string): void {
    queue.end();
    socket.close(code, reason);
  }

  /** What it sends from now on is not read, so the kernel slows it down until the socket ends. */
  function cutOff(): void {
    isDeaf = true;
    place.fine(SOCKET_CUT_OFF_COST);
    if (socket.readyState !== socket.OPEN) return void stream.destroy();
    close(CLOSE.policy, 'too many messages');
    socket.pause();
  }

  async function finish(retryMs: number): Promise<void> {
    isFinishing = true;
    await queue.finish();
    close(CLOSE.restart, retryReason(retryMs));
  }

  return {
    cameAt: performance.now(),
    get isIdle() {
      return queue.isIdle && !isFinishing;
    },
    move(clients) {
      moved.inc();
      void finish(returnAfterMs(clients));
    },
    finish,
    wasHeard() {
      const heard = wasHeard;
      wasHeard = false;
      return heard;
    },
    ping: () => socket.ping(),
    terminate: () => socket.terminate(),
    sendAway() {
      close(CLOSE.busy, retryReason(retryAfterMs()));
      socket.terminate();
    },
    ended,
  };
}
