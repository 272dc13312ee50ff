import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { openRedis } from '../../../src/redis/redis.ts';
import { BENCH_LOG } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

/** Whether the attempt from this address is let through to the password. */
export type Judge = (address: string) => Promise<boolean>;

export interface Parts {
  readonly redis: Redis;
  readonly name: string;
}

type Twin = { createJudge(parts: Parts): Judge };
type Input = { readonly guesses: number; readonly addresses: number; readonly processes: number };

export const ATTEMPTS_PER_MINUTE = 10;
const GUESSES = 200_000;
const PROCESSES = 2;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/http/rate-limit.ts',
  withoutIt: 'passwords can be brute-forced; one script hogs the API',
  asks: `One customer of an IPv6 provider guesses ${GUESSES.toLocaleString('en')} passwords within a minute, each from another of their 2^64 addresses, at ${PROCESSES} processes in turn; ${ATTEMPTS_PER_MINUTE} a minute are allowed.`,
  breaks: 'more guesses than allowed reach the password',
  holds: 'no more guesses than allowed reach it',
  headline: ({ judged = 0 }) => `${judged.toLocaleString('en')} of ${GUESSES.toLocaleString('en')} guesses tried`,
  small: { guesses: ATTEMPTS_PER_MINUTE, addresses: 1, processes: 1 },
  full: { guesses: GUESSES, addresses: GUESSES, processes: PROCESSES },

  async perform({ createJudge }, { guesses, addresses, processes }, { redisUrl }) {
    const name = `attempts ${process.pid} ${performance.now()}`;
    const connections = await Promise.all(Array.from({ length: processes }, () => openRedis(redisUrl, BENCH_LOG)));
    const judges = connections.map((redis) => createJudge({ redis, name }));
    const judged: number[] = [];
    for (let guess = 0; guess < guesses; guess++) {
      const judge = judges[guess % processes] as Judge;
      if (await judge(addressOf(guess % addresses))) judged.push(guess);
    }
    for (const redis of connections) redis.disconnect();
    const digest = createHash('sha256').update(judged.join()).digest('hex');
    return { digest, figures: { judged: judged.length } };
  },

  isBroken: ({ ending, figures }) => ending !== 'finished' || (figures.judged ?? 0) > ATTEMPTS_PER_MINUTE,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.judged === ATTEMPTS_PER_MINUTE,
};

/** All in one /64. */
function addressOf(n: number): string {
  return `2001:db8:1:2:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}::1`;
}
