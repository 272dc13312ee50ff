/** Whether a ratio that was measured again and again is really not 1. */
import { createRandom } from '../load/random.ts';

/** Four figures are judged in one run: at 99 % each, a run without a difference is called one in at most one of 25. */
const CONFIDENCE = 0.99;
/** Of fewer, chance alone puts all on one side of 1 more often than in one run of a hundred (2 / 2 ** 8). */
export const PAIRS_MIN = 8;
const RESAMPLES = 10_000;
/** Two copies of one version differ by what memory and disk happened to give them: less than this is not called a difference. */
const EFFECT_MIN = 0.03;

export type Verdict = 'slower' | 'faster' | 'no difference shown';

export interface Estimate {
  readonly median: number;
  /** Of the median, by bootstrap. */
  readonly low: number;
  readonly high: number;
  readonly verdict: Verdict;
}

/** Of the ratios later/earlier, one per pair. Seeded: the same ratios give the same estimate. */
export function estimate(ratios: readonly number[], seed = 1): Estimate {
  if (ratios.length === 0) throw new Error('There are no pairs to estimate from.');
  const random = createRandom(seed);
  const medians = Array.from({ length: RESAMPLES }, () => median(ratios.map(() => random.pick(ratios) as number)));
  medians.sort((a, b) => a - b);
  const tail = (1 - CONFIDENCE) / 2;
  const low = medians[Math.floor(tail * RESAMPLES)] as number;
  const high = medians[Math.ceil((1 - tail) * RESAMPLES) - 1] as number;
  const middle = median(ratios);
  return {
    median: middle,
    low,
    high,
    verdict: ratios.length < PAIRS_MIN ? 'no difference shown' : verdictOf(middle, low, high),
  };
}

function verdictOf(middle: number, low: number, high: number): Verdict {
  if (low > 1 && middle >= 1 + EFFECT_MIN) return 'slower';
  if (high < 1 && middle <= 1 - EFFECT_MIN) return 'faster';
  return 'no difference shown';
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle) - 1] as number)) / 2;
}
