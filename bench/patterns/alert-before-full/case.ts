import { createHash } from 'node:crypto';
import type { PatternCase } from '../pattern.ts';

/** Looks at a store once a minute, and calls `tell` when somebody should come. */
export interface Look {
  /** Of what the store can hold, and the writes that it has refused in the last minute. */
  readonly usedShare: number;
  readonly refused: number;
  readonly nowMs: number;
}
type Twin = { createWatch(tell: () => void): (look: Look) => void };
type Input = { readonly days: number };

export const MINUTE_MS = 60_000;
const DAYS = 90;
const MINUTES_A_DAY = 24 * 60;
const WRITES_A_MINUTE = 10;
const HOLDS = 30_000; // writes: two days and a bit
const COMES_AFTER_MINUTES = 45; // by night
const NIGHTLY = { at: 3 * 60, minutes: 8, share: 0.1 }; // a job that needs room for a short time
/** Those that fill the rest of the store before somebody comes would be many; a few a month are a page for nothing. */
const CALLS_MAX = 90;

/** By the minute, in a simulation: 90 days take a second, and the same ones for both. */
export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/process/alert-before-full.ts',
  withoutIt: 'the first sign of a full disk is a write that fails, and somebody has to come first',
  asks: `A store that fills within two days, for ${DAYS} days. Each night a job needs ${NIGHTLY.share * 100} % of it for ${NIGHTLY.minutes} minutes. Whoever is called comes after ${COMES_AFTER_MINUTES} minutes and empties it.`,
  breaks: 'a write is refused',
  holds: `no write is refused, and nobody is called more often than ${CALLS_MAX} times`,
  headline: ({ refused = 0, calls = 0 }) =>
    `${refused.toLocaleString('en')} writes refused, ${calls.toLocaleString('en')} calls`,
  small: { days: 1 },
  full: { days: DAYS },

  async perform({ createWatch }, { days }) {
    let stored = 0;
    let refusedInAll = 0;
    let calls = 0;
    let comesAt: number | undefined;
    let minute = 0;
    const watch = createWatch(() => {
      calls++;
      comesAt ??= minute + COMES_AFTER_MINUTES;
    });
    const kept = createHash('sha256');
    for (; minute < days * MINUTES_A_DAY; minute++) {
      if (comesAt === minute) {
        stored = 0;
        comesAt = undefined;
      }
      const ofDay = minute % MINUTES_A_DAY;
      const isNight = ofDay >= NIGHTLY.at && ofDay < NIGHTLY.at + NIGHTLY.minutes;
      const room = Math.max(0, HOLDS - stored - (isNight ? NIGHTLY.share * HOLDS : 0));
      const written = Math.min(WRITES_A_MINUTE, room);
      const refused = WRITES_A_MINUTE - written;
      stored += written;
      refusedInAll += refused;
      watch({ usedShare: 1 - Math.max(0, room - written) / HOLDS, refused, nowMs: minute * MINUTE_MS });
    }
    kept.update(String(stored));
    return { digest: kept.digest('hex'), figures: { refused: refusedInAll, calls } };
  },

  isBroken: ({ figures }) => (figures.refused ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && figures.refused === 0 && (figures.calls ?? Number.POSITIVE_INFINITY) <= CALLS_MAX,
};
