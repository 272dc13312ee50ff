/**
 * What it is: what one process tells the people in a room, the other processes tell theirs.
 * What fails without it: two windows of one person, connected to two processes, show two truths until one of them reconnects.
 * How it works: Redis pub/sub with one channel per key, and only for keys that somebody here listens to, so a process
 *   receives what it needs and nothing else. Pub/sub forgets: whoever is not connected at that moment never hears it. So
 *   a message is a hint and the database is the record. Each process publishes a beat and listens for its own and for
 *   those of the others. When one is missing, on any lost connection and after any message that could not be published,
 *   `onGap` says "read again". It says so every FAN_OUT_READ_EVERY_MS in any case, because nobody misses a process that has
 *   never reached Redis.
 * What it costs: two connections to Redis, one PUBLISH a message, one SUBSCRIBE for each key (batched), and a reading of
 *   everything every FAN_OUT_READ_EVERY_MS.
 * Its bound: FAN_OUT_PENDING_MAX messages on their way; FAN_OUT_SILENCE_MS until a silent Redis counts as gone; at most
 *   FAN_OUT_READ_EVERY_MS, and a beat, between two readings. Nothing that a person waits for waits longer than
 *   FAN_OUT_JOIN_MS for Redis. Redis bounds its side by client-output-buffer-limit pubsub: it cuts off a reader that is
 *   too slow, which is a gap like any other.
 * Its proof: test/socket/fan-out.test.ts.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  FAN_OUT_BEAT_MS,
  FAN_OUT_JOIN_MS,
  FAN_OUT_KEYS_PER_COMMAND,
  FAN_OUT_PEER_FORGOTTEN_MS,
  FAN_OUT_PENDING_MAX,
  FAN_OUT_READ_EVERY_MS,
  FAN_OUT_RECONNECT_MS,
  FAN_OUT_SILENCE_MS,
} from '../limits.ts';
import type { Metrics } from '../process/metrics.ts';
import { within } from '../within.ts';

export interface FanOut {
  /**
   * From now on messages for this key are heard. Resolves when nothing that is published from then on can be missed
   * without an `onGap`, at the latest after FAN_OUT_JOIN_MS: read the database after it, not before.
   */
  join(key: string): Promise<void>;
  leave(key: string): void;
  /**
   * To all other processes that have joined the key. Does not wait and does not throw. `mayBeLost`: nobody has to read
   * the database for it.
   */
  publish(key: string, text: string, options?: { mayBeLost?: boolean }): void;
  /** When the youngest other process was first heard of, as performance.now() tells it; -Infinity before there was one. */
  othersSince(): number;
  close(): void;
}

export interface FanOutOptions {
  /** Opened like this connection, which is not used itself. */
  readonly redis: Redis;
  /** Keeps the channels of different users of one Redis apart. */
  readonly name: string;
  /** A message that another process published. */
  readonly onMessage: (key: string, text: string) => void;
  /**
   * Messages may have been missed, under any key. While Redis is gone: once every FAN_OUT_BEAT_MS; at the latest
   * FAN_OUT_READ_EVERY_MS after the last time.
   */
  readonly onGap: () => void;
  readonly metrics: Metrics;
  readonly timing?: Partial<typeof TIMING>;
}

const TIMING = {
  beatMs: FAN_OUT_BEAT_MS,
  silenceMs: FAN_OUT_SILENCE_MS,
  reconnectMs: FAN_OUT_RECONNECT_MS,
  readEveryMs: FAN_OUT_READ_EVERY_MS,
};

const BEAT = 'beat';
const GAP = 'gap'; // a beat of a process that could not publish everything
const BYE = 'bye'; // the last beat of a process that ends

export function createFanOut(options: FanOutOptions): FanOut {
  const { redis, name, onMessage, metrics } = options;
  const { beatMs, silenceMs, reconnectMs, ...timing } = { ...TIMING, ...options.timing };
  const readEveryMs = timing.readEveryMs * (1 - Math.random() / 2); // not all processes at once
  const self = randomUUID();
  // Every key is subscribed to by ourselves, in parts.
  const subscriber = redis.duplicate({ lazyConnect: false, autoResubscribe: false });
  const publisher = redis.duplicate({ lazyConnect: false, enableAutoPipelining: true });
  for (const connection of [subscriber, publisher]) connection.on('error', () => undefined); // `close` follows
  // Channels do not belong to one of Redis's numbered databases, so its number is part of their names.
  const prefix = `${name}:${subscriber.options.db ?? 0}:`;
  const beats = `${prefix}${BEAT}`;
  const channelOf = (key: string) => `${prefix}key:${key}`;
  const lost = metrics.counter('fan_out_lost', 'Messages that other processes had to read from the database');

  /** By key: when the subscription is in place. */
  const joined = new Map<string, Promise<void>>();
  let entering: string[] = [];
  let leaving: string[] = [];
  let nextTurn: Promise<void> | undefined;
  let heardAt = Number.NEGATIVE_INFINITY;
  /** Of each other process: when it was last heard. */
  const peers = new Map<string, number>();
  let othersSince = Number.NEGATIVE_INFINITY;
  let readyAt = performance.now();
  /** The subscriber's, counted. */
  let connection = 0;
  let gapAt = performance.now();
  /** Nothing has been missed since the last onGap. */
  let complete = false;
  let pending = 0;
  let closed = false;
  let unsaid = false;

  subscriber.on('ready', () => {
    readyAt = performance.now();
    connection++;
    // The beats come last: whoever hears its own hears every key.
    void subscribe([...[...joined.keys()].map(channelOf), beats]).then(() => send(beats, BEAT));
  });
  publisher.on('ready', () => send(beats, BEAT));
  subscriber.on('close', () => {
    complete = false;
  });
  // The server may be another one afterwards, and then that is where the others are heard.
  publisher.on('close', () => subscriber.disconnect(!closed));
  subscriber.on('message', (channel: string, message: string) => {
    const space = message.indexOf(' ');
    const [from, text] = [message.slice(0, space), message.slice(space + 1)];
    if (from === self) {
      if (channel === beats) heardOwnBeat();
      return;
    }
    // A process may be cut off between its first message and its first beat, and is missed all the same.
    heardPeer(from, channel === beats && text === BYE);
    if (channel !== beats) onMessage(channel.slice(channelOf('').length), text);
    else if (text === GAP) onGap();
  });

  function heardPeer(peer: string, isLeaving: boolean): void {
    if (isLeaving) {
      peers.delete(peer);
      return;
    }
    const now = performance.now();
    // Those that were there before us are all heard of within a beat.
    if (!peers.has(peer) && now - readyAt > silenceMs) othersSince = now;
    peers.set(peer, now);
  }

  function heardOwnBeat(): void {
    heardAt = performance.now();
    if (complete) return;
    complete = true;
    onGap();
  }

  function onGap(): void {
    gapAt = performance.now();
    options.onGap();
  }

  function beat(): void {
    const now = performance.now();
    if (now - heardAt > silenceMs) complete = false;
    if (!complete || somePeerIsSilent(now) || now - gapAt >= readEveryMs) onGap();
    // A connection whose other end has disappeared does not notice by itself.
    const silentMs = now - Math.max(heardAt, readyAt);
    if (subscriber.status === 'ready' && silentMs > reconnectMs) subscriber.disconnect(true);
    const text = unsaid ? GAP : BEAT;
    unsaid = false;
    send(beats, text);
    // A replica publishes to its own listeners without a word; a write is refused, and the connection replaced.
    publisher.del(`${prefix}write-probe`).catch(() => undefined);
  }

  /** It was killed, or it goes on without Redis and stores what nobody hears of. */
  function somePeerIsSilent(now: number): boolean {
    let isSilent = false;
    for (const [peer, at] of peers) {
      if (now - at > FAN_OUT_PEER_FORGOTTEN_MS) peers.delete(peer);
      else if (now - at > silenceMs) isSilent = true;
    }
    return isSilent;
  }

  function send(channel: string, text: string, mayBeLost = false): void {
    if (closed) return; // a word after BYE would be one of a new process
    const failed = mayBeLost ? () => undefined : unpublished;
    if (pending >= FAN_OUT_PENDING_MAX) {
      failed();
      return;
    }
    pending++;
    publisher
      .publish(channel, `${self} ${text}`)
      .catch(failed)
      .finally(() => pending--);
  }

  function unpublished(): void {
    unsaid = true;
    lost.inc();
  }

  /** In parts, so that thousands of people who come back at once do not make one command of a megabyte. */
  async function subscribe(channels: readonly string[]): Promise<void> {
    const own = connection; // the next one begins with all keys
    for (let at = 0; at < channels.length && own === connection; at += FAN_OUT_KEYS_PER_COMMAND)
      await subscriber.subscribe(...channels.slice(at, at + FAN_OUT_KEYS_PER_COMMAND)).catch(() => {
        complete = false; // on the next connection
      });
  }

  /** Those who come and go in one turn of the event loop share a command each. */
  function inNextTurn(): Promise<void> {
    nextTurn ??= new Promise((resolve) => setImmediate(resolve)).then(() => {
      nextTurn = undefined;
      const entered = entering.filter((key) => joined.has(key));
      const left = leaving.filter((key) => !joined.has(key));
      entering = [];
      leaving = [];
      if (subscriber.status !== 'ready') return;
      if (left.length > 0) void subscriber.unsubscribe(...left.map(channelOf)).catch(() => undefined);
      return subscribe(entered.map(channelOf));
    });
    return nextTurn;
  }

  const timer = setInterval(beat, beatMs);

  return {
    async join(key) {
      let subscribed = joined.get(key);
      if (subscribed === undefined) {
        entering.push(key);
        subscribed = inNextTurn();
        joined.set(key, subscribed);
      }
      const inPlace = subscribed.then(() => true);
      if (complete && (await within(FAN_OUT_JOIN_MS, inPlace))) return;
      // Without Redis there is nothing to wait for: what is missed meanwhile comes with onGap. As the reading of the first
      // beat may be before this subscription, there is one after it as well.
      complete = false;
      void subscribed.then(() => {
        gapAt = Number.NEGATIVE_INFINITY;
      });
    },
    leave(key) {
      if (!joined.delete(key)) return;
      leaving.push(key);
      void inNextTurn();
    },
    publish: (key, text, { mayBeLost } = {}) => send(channelOf(key), text, mayBeLost),
    othersSince: () => othersSince,
    close() {
      clearInterval(timer);
      closed = true;
      subscriber.disconnect();
      void publisher
        .publish(beats, `${self} ${BYE}`)
        .catch(() => undefined)
        .finally(() => publisher.disconnect());
    },
  };
}
