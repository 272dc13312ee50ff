import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { AppError } from '../errors.ts';
import { createLogStorm } from '../flow/log-storm.ts';
import { createOrderedQueue, type OrderedQueue, type OrderedQueueOptions } from '../flow/ordered-queue.ts';
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
import { type Reader, takeReader } from './take-reader.ts';
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
  /** With what takes each out of the heartbeat; the oldest first. */
  const clients = new Map<Client, () => void>();
  const empty = Promise.withResolvers<void>();
  let isClosing = false;
  const moved = metrics.counter('sockets_moved', 'Clients that were told to connect again because of a new process');
  const othersSince = () =>
    Math.max(...options.endpoints.map((endpoint) => endpoint.othersSince?.() ?? Number.NEGATIVE_INFINITY));
  const stopRebalancing = startRebalancing(
    { [Symbol.iterator]: () => clients.keys() },
    othersSince,
    options.rebalancing,
  );
  const services: Services = {
    ...{ log, moved },
    logFailure: createLogStorm((fields, text) => log.error(fields, text), 'socket message failed'),
    ended(client) {
      clients.get(client)?.();
      clients.delete(client);
      if (isClosing && clients.size === 0) empty.resolve();
    },
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
      client = new Client(socket, stream, endpoint, ticket?.grants, place, services);
      clients.set(client, heartbeat.add(client));
    });
    if (client !== undefined) return undefined;
    // Not a WebSocket after all: ws has answered.
    place.leave();
    destroyLater(stream);
    return undefined;
  }

  return {
    async close() {
      door.shut();
      heartbeat.stop();
      stopRebalancing();
      if (clients.size === 0) return;
      isClosing = true;
      const timer = setTimeout(() => {
        for (const client of clients.keys()) client.terminate();
      }, DRAIN_MS);
      await sendHome([...clients.keys()]);
      await empty.promise;
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
}

interface Services {
  readonly log: Log;
  readonly moved: { inc(): void };
  logFailure(error: unknown): void;
  /** The socket has ended. */
  ended(client: Client): void;
}

/** A class, because there is one per socket: closures and a promise would take 2 KB more. */
class Client implements Connection, Pinged, Movable, OrderedQueueOptions<string> {
  readonly cameAt = performance.now();
  readonly grants: unknown;
  private readonly socket: WebSocket;
  private readonly stream: Duplex;
  private readonly endpoint: SocketEndpoint;
  private readonly place: Place;
  private readonly services: Services;
  private readonly queue: OrderedQueue<string>;
  private readonly meter = createFrameMeter();
  private readonly parse: Reader;
  private hello: NodeJS.Timeout | undefined;
  private limits: FrameLimits = SOCKET_STRANGER_PER_10_SECONDS_MAX;
  private isWelcome = false;
  private heard = true;
  /** What arrives is not even parsed. */
  private isDeaf = false;
  private isFinishing = false;
  private isHeldBack = false;

  constructor(
    socket: WebSocket,
    stream: Duplex,
    endpoint: SocketEndpoint,
    grants: unknown,
    place: Place,
    services: Services,
  ) {
    this.grants = grants;
    this.socket = socket;
    this.stream = stream;
    this.endpoint = endpoint;
    this.place = place;
    this.services = services;
    this.queue = createOrderedQueue(this);
    this.parse = takeReader(stream);
    this.hello = setTimeout(refuseSilence, SOCKET_HELLO_MS, this);
    stream.on('data', (chunk: Buffer) => this.read(chunk));
    stream.on('end', () => destroyLater(stream));
    // At the end ws parses what was not read yet, without us.
    stream.prependListener('close', () => {
      if (this.isDeaf) stream.read();
      this.isDeaf = true;
    });
    socket.on('message', (data, isBinary) => this.received(data, isBinary));
    socket.on('error', (error) => {
      this.isDeaf = true;
      services.log.debug({ err: error }, 'socket error'); // `close` follows
    });
    socket.on('close', () => this.ended());
  }

  send(message: object): void {
    this.sendJson(Buffer.from(JSON.stringify(message)));
  }

  sendJson(json: Buffer): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.holdBack();
    sendBounded(this.socket, json);
  }

  close(code: number, reason: string): void {
    this.queue.end();
    this.socket.close(code, reason);
  }

  welcomed(): void {
    this.stopWaitingForHello();
    this.isWelcome = true;
    this.limits = SOCKET_PER_10_SECONDS_MAX;
    this.place.setStranger(false);
  }

  join(key: string, connectionsMax: number): boolean {
    return this.place.join(`${this.endpoint.path} ${key}`, connectionsMax);
  }

  wasHeard(): boolean {
    const { heard } = this;
    this.heard = false;
    return heard;
  }

  ping(): void {
    this.socket.ping();
  }

  terminate(): void {
    this.socket.terminate();
  }

  /** Handles what has arrived, acknowledges it, and then closes with 1012. */
  async finish(retryMs: number): Promise<void> {
    this.isFinishing = true;
    await this.queue.finish();
    this.close(CLOSE.restart, retryReason(retryMs));
  }

  get isIdle(): boolean {
    return this.queue.isIdle && !this.isFinishing;
  }

  move(clients: number): void {
    this.services.moved.inc();
    void this.finish(returnAfterMs(clients));
  }

  /** For a client that has said nothing, when another one needs the place. */
  sendAway(): void {
    this.close(CLOSE.busy, retryReason(retryAfterMs()));
    this.socket.terminate();
  }

  get waitingMax(): number {
    return SOCKET_WORK_WAITING_MAX;
  }

  async handle(text: string): Promise<void> {
    const { socket, queue } = this;
    try {
      await this.endpoint.handler.message(this, parseMessage(text));
    } catch (error) {
      if (!isAboutMessage(error)) throw error;
      this.send(errorFrame(error, text));
    }
    if (!this.isWelcome && queue.waiting === 0) this.place.setStranger(true);
    if (queue.waiting < SOCKET_WORK_PAUSE && socket.isPaused && !this.isDeaf) socket.resume();
  }

  failed(error: unknown, text: string): void {
    if (!(error instanceof AppError)) this.services.logFailure(error);
    const told = error instanceof AppError ? error : new AppError('internal', 'Something went wrong. Try again soon.');
    const retryMs = retryAfterMs(told.retryAfterSeconds);
    this.send({ ...errorFrame(told, text), retryAfterMs: retryMs });
    this.close(CLOSE.busy, retryReason(retryMs));
  }

  private read(chunk: Buffer): void {
    this.heard = true;
    if (this.isDeaf) this.stream.pause();
    else if (this.meter.admit(chunk, this.limits)) this.parse.call(this.stream, chunk);
    else this.cutOff();
    if (this.meter.hasClosed) this.isDeaf = true;
  }

  private received(data: RawData, isBinary: boolean): void {
    const { socket, queue } = this;
    if (socket.readyState !== socket.OPEN) return;
    if (isBinary) {
      this.close(CLOSE.policy, 'text frames only');
      return;
    }
    this.place.setStranger(false);
    if (!queue.add(String(data)) && !this.isFinishing) this.close(CLOSE.policy, 'too many messages');
    else if (queue.waiting >= SOCKET_WORK_PAUSE) socket.pause();
  }

  private ended(): void {
    this.stopWaitingForHello();
    this.place.leave();
    this.services.ended(this);
    void this.queue.finish().then(() => this.endpoint.handler.closed(this));
  }

  private stopWaitingForHello(): void {
    clearTimeout(this.hello);
    this.hello = undefined;
  }

  /** Frames sent in one turn of the event loop go out together: the system call costs more than the frame. */
  private holdBack(): void {
    if (this.isHeldBack) return;
    this.isHeldBack = true;
    this.stream.cork();
    process.nextTick(letGo, this);
  }

  /** For `letGo`. */
  sendHeldBack(): void {
    this.isHeldBack = false;
    this.stream.uncork();
  }

  /** What it sends from now on is not read, so the kernel slows it down until the socket ends. */
  private cutOff(): void {
    this.isDeaf = true;
    this.place.fine(SOCKET_CUT_OFF_COST);
    if (this.socket.readyState === this.socket.OPEN) {
      this.close(CLOSE.policy, 'too many messages');
      this.socket.pause();
    } else this.stream.destroy();
  }
}

function refuseSilence(client: Client): void {
  client.close(CLOSE.policy, 'say hello first');
}

function letGo(client: Client): void {
  client.sendHeldBack();
}
