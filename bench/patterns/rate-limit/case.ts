import { createHash } from 'node:crypto';
import type { PatternCase } from '../pattern.ts';

/** Whether the attempt from this address is let through to the password. */
export type Judge = (address: string) => boolean;
type Twin = { createJudge(): Judge };
type Input = { readonly guesses: number; readonly addresses: number };

export const ATTEMPTS_PER_MINUTE = 10;
const GUESSES = 200_000;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/http/rate-limit.ts',
  withoutIt: 'passwords can be brute-forced; one script hogs the API',
  asks: `One customer of an IPv6 provider guesses ${GUESSES.toLocaleString('en')} passwords within a minute, each from another of their 2^64 addresses; ${ATTEMPTS_PER_MINUTE} a minute are allowed.`,
  breaks: 'more guesses than allowed reach the password',
  holds: 'no more guesses than allowed reach it',
  headline: ({ judged = 0 }) => `${judged.toLocaleString('en')} of ${GUESSES.toLocaleString('en')} guesses tried`,
  small: { guesses: ATTEMPTS_PER_MINUTE, addresses: 1 },
  full: { guesses: GUESSES, addresses: GUESSES },

  async perform({ createJudge }, { guesses, addresses }) {
    const judge = createJudge();
    const judged: number[] = [];
    for (let guess = 0; guess < guesses; guess++) if (judge(addressOf(guess % addresses))) judged.push(guess);
    const digest = createHash('sha256').update(judged.join()).digest('hex');
    return { digest, figures: { judged: judged.length } };
  },

  isBroken: ({ ending, figures }) => ending !== 'finished' || (figures.judged ?? 0) > ATTEMPTS_PER_MINUTE,
  isHeld: ({ ending, figures }) => ending === 'finished' && (figures.judged ?? 0) <= ATTEMPTS_PER_MINUTE,
};

/** All in one /64. */
function addressOf(n: number): string {
  return `2001:db8:1:2:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}::1`;
}
