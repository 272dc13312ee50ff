import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { AppError } from '../errors.ts';
import { createOrderedQueue, type OrderedQueue, type OrderedQueueOptions } from '../flow/ordered-queue.ts';
import {
  SOCKET_HELLO_MS,
  SOCKET_PER_10_SECONDS_MAX,
  SOCKET_STRANGER_PER_10_SECONDS_MAX,
  SOCKET_WORK_PAUSE,
  SOCKET_WORK_WAITING_MAX,
} from '../limits.ts';
import type { Log } from '../log.ts';
import type { Place } from './admission.ts';
import { sendBounded } from './backpressure.ts';
import { CLOSE, type Connection, type SocketEndpoint } from './connection.ts';
import { createFrameMeter, type FrameLimits } from './frame-meter.ts';
import type { Pinged } from './heartbeat.ts';
import { errorFrame, isAboutMessage, parseMessage } from './message.ts';
import type { Movable } from './rebalancing.ts';
import { destroyLater } from './refusal.ts';
import { retryAfterMs, retryReason, returnAfterMs } from './retry-hint.ts';
import { discardUnread, type Reader, takeReader } from './take-reader.ts';

/** What all clients of a server share. */
export interface ClientServices {
  readonly log: Log;
  readonly moved: { inc(): void };
  logFailure(error: unknown): void;
  /** It was cut off for what it sent, and will be back. */
  flooded(client: Client): void;
  /** The socket has ended. */
  ended(client: Client): void;
}

/** A class, because there is one per socket: closures and a promise would take 2 KB more. */
export class Client implements Connection, Pinged, Movable, OrderedQueueOptions<string> {
  readonly cameAt = performance.now();
  readonly grants: unknown;
  private readonly socket: WebSocket;
  private readonly stream: Duplex;
  readonly endpoint: SocketEndpoint;
  readonly place: Place;
  private readonly services: ClientServices;
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
    services: ClientServices,
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
      if (this.isDeaf) discardUnread(stream);
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
    this.services.flooded(this);
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
