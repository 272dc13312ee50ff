/**
 * Whether a ratio that was measured again and again is really not 1.
 *
 * The interval is that of Wilcoxon's signed-rank test, on logarithms, so that A against B says the same as B against A. It
 * is exact for any spread that is as likely up as down, which the coin that decides the order (blocks.ts) sees to.
 * A bootstrap of so few ratios is too sure of itself: its 99 % hold the truth less often than that.
 */

import { median } from '../numbers.ts';

/** Four figures are judged in one run: at 99 % each, a run without a difference is called one in at most one of 25. */
const CONFIDENCE = 0.99;
/** Of fewer, chance alone puts all on one side of 1 more often than in one run of a hundred (2 / 2 ** 8). */
export const RATIOS_MIN = 8;
/** Another start gives the same version other memory, other pages, other compiled code: one start alone proves nothing. */
export const STARTS_MIN = 2;
/** Two copies of one version differ by what memory and disk happened to give them: less than this is not called a difference. */
const EFFECT_MIN = 0.03;

export type Verdict = 'slower' | 'faster' | 'no difference shown';

export interface Estimate {
  /** Of the geometric means of all pairs of ratios (Hodges and Lehmann): nearer to the truth than the ratios' own median. */
  readonly median: number;
  /** 0 and Infinity when there are fewer than RATIOS_MIN. */
  readonly low: number;
  readonly high: number;
}

export interface Judgement extends Estimate {
  readonly verdict: Verdict;
  /** The median of each start alone. */
  readonly byStart: readonly number[];
}

/** Of the ratios later/earlier of each start. A difference is one that all starts agree on. */
export function judge(starts: readonly (readonly number[])[]): Judgement {
  const all = estimate(starts.flat());
  const byStart = starts.filter((ratios) => ratios.length > 0).map((ratios) => estimate(ratios).median);
  return { ...all, byStart, verdict: verdictOf(all, byStart) };
}

/** Of ratios that were measured independently. @throws when there are none, or one is not a positive number */
export function estimate(ratios: readonly number[]): Estimate {
  if (ratios.length === 0) throw new Error('There are no ratios to estimate from.');
  if (!ratios.every((ratio) => ratio > 0 && Number.isFinite(ratio))) throw new Error(`Not all ratios: ${ratios}`);
  const logs = ratios.map(Math.log);
  const means = logs.flatMap((a, at) => logs.slice(at).map((b) => (a + b) / 2)).sort((a, b) => a - b);
  const left = leftOut(ratios.length, (1 - CONFIDENCE) / 2);
  return {
    median: Math.exp(median(means)),
    low: left === undefined ? 0 : Math.exp(means[left] as number),
    high: left === undefined ? Infinity : Math.exp(means.at(-1 - left) as number),
  };
}

/**
 * How many of the means lie outside of the interval, on each side: the highest sum of ranks 1 to `count`, each taken with
 * a chance of a half, that is reached from below with at most a chance of `tail`. Undefined when none is so unlikely.
 */
function leftOut(count: number, tail: number): number | undefined {
  let chances = [1];
  for (let rank = 1; rank <= count; rank++) {
    const before = chances;
    chances = Array.from(
      { length: before.length + rank },
      (_, sum) => ((before[sum] ?? 0) + (before[sum - rank] ?? 0)) / 2,
    );
  }
  let below = 0;
  for (const [sum, chance] of chances.entries()) {
    below += chance;
    if (below > tail) return sum === 0 ? undefined : sum - 1;
  }
  return undefined;
}

function verdictOf({ median, low, high }: Estimate, byStart: readonly number[]): Verdict {
  if (byStart.length < STARTS_MIN) return 'no difference shown';
  if (low > 1 && median >= 1 + EFFECT_MIN && byStart.every((one) => one > 1)) return 'slower';
  if (high < 1 && median <= 1 / (1 + EFFECT_MIN) && byStart.every((one) => one < 1)) return 'faster';
  return 'no difference shown';
}
