import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { openRedis } from '../../../src/redis/redis.ts';
import { BENCH_LOG } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

export interface Parts {
  readonly redis: Redis;
  readonly channel: string;
  deliver(seq: number): void;
  /** Reads what is new from where it is stored. */
  catchUp(): void;
}

export interface Channel {
  publish(seq: number): void;
  close(): void;
}

type Twin = { openChannel(parts: Parts): Promise<Channel> };
type Input = { readonly messages: number; readonly cuts: boolean };

const MESSAGES = 1_000;
const EVERY_MS = 1;
const CUT_AT = [200, 600];
/** Longer than any of the twins needs to be connected again. */
const SETTLED_MS = 5_000;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/socket/fan-out.ts',
  withoutIt: 'what is published while a connection to Redis is down never reaches the other processes',
  asks: `One process stores and publishes ${MESSAGES} messages for a client of another; Redis cuts all subscribers ${CUT_AT.length} times.`,
  breaks: 'the client misses messages, and does not know',
  holds: 'the client has all messages',
  headline: ({ missed = 0 }) => `${missed} of ${MESSAGES.toLocaleString('en')} messages missed`,
  small: { messages: 50, cuts: false },
  full: { messages: MESSAGES, cuts: true },

  async perform({ openChannel }, { messages, cuts }, { redisUrl }) {
    const redis = await openRedis(redisUrl, BENCH_LOG);
    const channel = `pattern:${process.pid}:${Math.random()}`;
    const stored: number[] = [];
    const seen = new Set<number>();
    const catchUp = () => {
      for (const seq of stored) seen.add(seq);
    };
    const there = await openChannel({ redis, channel, catchUp, deliver: (seq) => void seen.add(seq) });
    const here = await openChannel({ redis, channel, deliver: () => undefined, catchUp: () => undefined });
    for (let seq = 1; seq <= messages; seq++) {
      if (cuts && CUT_AT.includes(seq)) await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      stored.push(seq);
      here.publish(seq);
      await sleep(EVERY_MS);
    }
    const deadline = performance.now() + SETTLED_MS;
    while (seen.size < messages && performance.now() < deadline) await sleep(EVERY_MS);
    for (const { close } of [here, there]) close();
    redis.disconnect();
    const digest = createHash('sha256')
      .update([...seen].toSorted((a, b) => a - b).join())
      .digest('hex');
    return { digest, figures: { missed: messages - seen.size, seen: seen.size } };
  },

  isBroken: ({ figures }) => (figures.missed ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.seen === MESSAGES,
};
