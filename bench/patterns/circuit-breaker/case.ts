import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { PatternCase } from '../pattern.ts';

/** False: the server refused. */
export type Call = (item: number) => Promise<boolean>;
type Twin = { createCaller(call: Call): (item: number) => Promise<void> };
type Input = { readonly outageMs: number };

export const RETRY_MS = 100;
const ITEMS = 400;
const CALLERS = 50;
const CALL_MS = 5;
const OUTAGE_MS = 5_000;
/** About one in RETRY_MS, and those that were under way when the outage began. */
const REFUSED_MAX = OUTAGE_MS / RETRY_MS + CALLERS;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/flow/circuit-breaker.ts',
  withoutIt: 'everybody keeps knocking at a server that is down',
  asks: `${CALLERS} callers bring ${ITEMS} items to a server that refuses all of them for ${OUTAGE_MS / 1_000} s.`,
  breaks: `more than ${REFUSED_MAX} calls are refused`,
  holds: `every item arrives once, and at most ${REFUSED_MAX} calls are refused`,
  headline: ({ refused = 0 }) => `${refused.toLocaleString('en')} calls refused`,
  small: { outageMs: 0 },
  full: { outageMs: OUTAGE_MS },

  async perform({ createCaller }, { outageMs }) {
    const begun = performance.now();
    const taken: number[] = [];
    let refused = 0;
    const bring = createCaller(async (item) => {
      await sleep(CALL_MS);
      if (performance.now() - begun < outageMs) {
        refused++;
        return false;
      }
      taken.push(item);
      return true;
    });
    const atOnce = pLimit(CALLERS);
    await Promise.all(Array.from({ length: ITEMS }, (_, item) => atOnce(() => bring(item))));
    const seconds = (performance.now() - begun) / 1_000;
    const digest = createHash('sha256')
      .update(JSON.stringify(taken.toSorted((a, b) => a - b)))
      .digest('hex');
    return { digest, figures: { taken: taken.length, refused, seconds } };
  },

  isBroken: ({ figures }) => (figures.refused ?? 0) > REFUSED_MAX,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && figures.taken === ITEMS && (figures.refused ?? Number.POSITIVE_INFINITY) <= REFUSED_MAX,
};
