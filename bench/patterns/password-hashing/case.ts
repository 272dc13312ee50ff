import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../../src/errors.ts';
import { hashesAtOnce } from '../../../src/http/password-hashing.ts';
import { PASSWORD_HASHES_WAITING_MAX } from '../../../src/limits.ts';
import { MB, type PatternCase } from '../pattern.ts';

export type Hasher = { hash(password: string): Promise<string> };
type Twin = { createHasher(): Hasher };
type Input = { readonly signIns: number };

const SIGN_INS = 200;
const SERVED = hashesAtOnce() + PASSWORD_HASHES_WAITING_MAX;
const LOOKUP_EVERY_MS = 5;
/** A lookup takes a millisecond or two when nothing is in front of it. */
const LOOKUP_MS_MAX = 500;
const PEAK_BYTES_MAX = 256 * MB;

/**
 * Both twins hash with the same algorithm at the same cost. Without the semaphore it is not memory that runs out: node
 * computes at most four hashes at once, one per thread of its pool. The pool itself does; DNS and files share it.
 */
export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/http/password-hashing.ts',
  withoutIt: 'a burst of sign-ins blocks DNS lookups and file reads for seconds',
  asks: `${SIGN_INS} sign-ins arrive at once, while the process resolves a host name again and again.`,
  breaks: `a DNS lookup takes more than ${LOOKUP_MS_MAX} ms, behind the hashes of all who sign in`,
  holds: `${SERVED} are served and the others refused, no DNS lookup takes more than ${LOOKUP_MS_MAX} ms, below ${PEAK_BYTES_MAX / MB} MB`,
  headline: ({ lookupMaxMs = 0 }) => `a DNS lookup takes ${Math.round(lookupMaxMs).toLocaleString('en')} milliseconds`,
  small: { signIns: 8 },
  full: { signIns: SIGN_INS },

  async perform({ createHasher }, { signIns }) {
    const hasher = createHasher();
    const lookups = watchLookups();
    const begun = performance.now();
    const [hashes, answeredMs]: [string[], number[]] = [[], []];
    let refused = 0;
    await Promise.all(
      Array.from({ length: signIns }, async (_, index) => {
        try {
          hashes.push(await hasher.hash(`password number ${index}`));
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== 'overloaded') throw error;
          refused++;
        }
        answeredMs.push(performance.now() - begun);
      }),
    );
    const lookupMaxMs = await lookups.stop();
    const figures = { hashes: hashes.length, refused, lookupMaxMs, slowestAnswerMs: Math.max(...answeredMs) };
    return { digest: digestOf(hashes), figures };
  },

  isBroken: ({ ending, figures }) => ending === 'finished' && (figures.lookupMaxMs ?? 0) > LOOKUP_MS_MAX,
  isHeld: ({ ending, figures, peakBytes }) =>
    ending === 'finished' &&
    figures.hashes === SERVED &&
    figures.refused === SIGN_INS - SERVED &&
    (figures.lookupMaxMs ?? Number.POSITIVE_INFINITY) <= LOOKUP_MS_MAX &&
    peakBytes < PEAK_BYTES_MAX,
};

/** Salts are random: equal must be the algorithm, its cost, and that each password got a hash of its own. */
function digestOf(hashes: readonly string[]): string {
  const costs = hashes.map((hash) => hash.split('$').slice(0, 4).join('$'));
  return createHash('sha256')
    .update([...costs, new Set(hashes).size].join('\n'))
    .digest('hex');
}

/** Lookups run on the same pool of threads as the hashes. */
function watchLookups(): { stop(): Promise<number> } {
  let running = true;
  let maxMs = 0;
  const done = (async () => {
    while (running) {
      const begun = performance.now();
      await lookup('localhost');
      maxMs = Math.max(maxMs, performance.now() - begun);
      await sleep(LOOKUP_EVERY_MS);
    }
  })();
  return {
    async stop() {
      running = false;
      await done;
      return maxMs;
    },
  };
}
