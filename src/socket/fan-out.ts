/**
 * What it is: a message reaches the clients of all processes, through Redis pub/sub.
 * What fails without it: two windows on two processes are two truths. With pub/sub alone, which delivers at most once, a
 *   message that was sent while a connection was down is never missed, because nobody knows that it existed.
 * How it works: a message is delivered in its own process at once. Then it goes to one channel of all processes; what comes
 *   together in the meantime goes together. Each process numbers what it publishes, and watches its connections. A hole in
 *   the numbers, a connection that was lost or does not answer: then messages may have been missed, and `onGap` lets the
 *   handler catch up from the database, every FAN_OUT_CHECK_MS until Redis is back, and once after that.
 * What it costs: two connections, and each process parses the messages of all. Its bound: FAN_OUT_WAITING_MAX messages wait
 *   for Redis; further ones are a gap for the others. Its proof: test/socket/fan-out.test.ts, bench/patterns/pubsub-fan-out.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { FAN_OUT_CHECK_MS, FAN_OUT_PROCESSES_MAX, FAN_OUT_WAITING_MAX, REDIS_COMMAND_MS } from '../limits.ts';

export interface FanOut {
  /** Returns when it is delivered here, and never fails. `message` must be JSON. */
  publish(key: string, message: object): void;
  /** Publishes what waits, if Redis takes it. */
  close(): Promise<void>;
}

export interface FanOutOptions {
  /** Opened like this connection, which is not used itself. */
  readonly redis: Redis;
  /** The same in all processes that share messages. */
  readonly channel: string;
  /** Each message, in the order in which its process published it. `key` says whom it is for. */
  deliver(key: string, message: object): void;
  /** Messages of other processes may have been missed: read what is new from the database. */
  onGap(): void;
}

interface Batch {
  readonly from: string;
  readonly number: number;
  readonly messages: readonly (readonly [key: string, message: object])[];
}

export function openFanOut({ redis, channel, deliver, onGap }: FanOutOptions): FanOut {
  const self = randomUUID();
  const open = () =>
    redis.duplicate({ lazyConnect: true, enableOfflineQueue: false, commandTimeout: REDIS_COMMAND_MS });
  const [publisher, subscriber] = [open(), open()];
  /** The number of the last batch of each other process. */
  const heard = new Map<string, number>();
  let waiting: Batch['messages'][number][] = [];
  let number = 0;
  let publishing: Promise<void> | undefined;
  /** The others do not know yet that they missed something of ours. */
  let owesGap = false;
  let isAway = true;

  async function publishWaiting(): Promise<void> {
    while (waiting.length > 0 || owesGap) {
      number += owesGap ? 2 : 1; // a hole in the numbers tells the others
      const batch: Batch = { from: self, number, messages: waiting };
      waiting = [];
      owesGap = false;
      try {
        await publisher.publish(channel, JSON.stringify(batch));
      } catch {
        owesGap = true;
        break;
      }
    }
    publishing = undefined;
  }

  subscriber.on('message', (_channel, text) => {
    const batch = parse(text);
    if (batch === undefined) {
      onGap();
      return;
    }
    const { from, number: theirs, messages } = batch;
    if (from === self) return;
    const last = heard.get(from) ?? 0;
    heard.delete(from);
    heard.set(from, theirs);
    // Processes come and go: the one that was silent for longest is forgotten.
    if (heard.size > FAN_OUT_PROCESSES_MAX) heard.delete(heard.keys().next().value as string);
    for (const [key, message] of messages) deliver(key, message);
    if (theirs !== last + 1) onGap();
  });

  async function check(): Promise<void> {
    const answers = await Promise.all([
      answer(publisher, () => publisher.ping()),
      answer(subscriber, () => (isAway ? subscriber.subscribe(channel) : subscriber.ping())),
    ]);
    const wasAway = isAway;
    isAway = answers.includes(false);
    if (isAway || wasAway) onGap();
    if (!isAway && owesGap) publishing ??= publishWaiting();
  }

  const loop = startLoop(check);
  for (const connection of [publisher, subscriber]) {
    connection.on('error', () => undefined); // `close` follows
    connection.on('ready', () => loop.wake());
    connection.connect().catch(() => undefined); // it goes on trying
  }
  subscriber.on('close', () => {
    isAway = true;
  });

  return {
    publish(key, message) {
      deliver(key, message);
      if (waiting.length < FAN_OUT_WAITING_MAX) waiting.push([key, message]);
      else owesGap = true;
      publishing ??= publishWaiting();
    },
    async close() {
      loop.stop();
      await publishing;
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}

/** Undefined if another release wrote it, in a form that this one does not know. */
function parse(text: string): Batch | undefined {
  try {
    const batch = JSON.parse(text) as Batch;
    return Array.isArray(batch.messages) ? batch : undefined;
  } catch {
    return undefined;
  }
}

/** A connection that is open and does not answer is opened again: nothing else would ever end it. */
async function answer(connection: Redis, ask: () => Promise<unknown>): Promise<boolean> {
  if (connection.status !== 'ready') return false;
  try {
    await ask();
    return true;
  } catch {
    if (connection.status === 'ready') connection.disconnect(true);
    return false;
  }
}

/** One check after the other, because a check can take longer than the time between two. */
function startLoop(check: () => Promise<void>): { wake(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;
  let isWoken = false;
  let isStopped = false;

  async function run(): Promise<void> {
    isRunning = true;
    isWoken = false;
    await check();
    isRunning = false;
    if (!isStopped) timer = setTimeout(run, isWoken ? 0 : FAN_OUT_CHECK_MS).unref();
  }

  void run();
  return {
    wake() {
      isWoken = true;
      if (isRunning || isStopped) return;
      clearTimeout(timer);
      void run();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
