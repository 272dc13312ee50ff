/**
 * In which order two sides are asked, and what that says about them.
 *
 * What it is: blocks of four runs, A B B A or B A A B, each of which gives one ratio.
 * What fails without it: a pair alone charges its second side with whatever drifts, and with having slept meanwhile; pairs
 *   in turn then come out high, low, high, low, and the spread hides the difference.
 * How it works: within a block each side is as early as the other, and both are asked the same. Which of the two orders it
 *   is, a coin says: nothing that comes in a rhythm keeps step with a coin.
 * What it costs: four runs for one ratio. Its bound: BLOCKS_MAX. Its proof: test/bench/ab/blocks.test.ts.
 */
import type { Random } from '../load/random.ts';

export type Label = 'A' | 'B';

export function orderOf(random: Random): readonly Label[] {
  return random.below(2) === 0 ? ['A', 'B', 'B', 'A'] : ['B', 'A', 'A', 'B'];
}

/**
 * Runs one block and resolves with B / A of each figure, the geometric mean of both. `run` is given a seed: the same two
 * for each side, and no other block's.
 */
export async function runBlock<Figure extends string>(
  order: readonly Label[],
  block: number,
  run: (label: Label, seed: number) => Promise<Readonly<Record<Figure, number>>>,
): Promise<Record<Figure, number>> {
  const runs: Record<Label, Readonly<Record<Figure, number>>[]> = { A: [], B: [] };
  for (const label of order) runs[label].push(await run(label, block * 2 + runs[label].length));
  const product = (label: Label, figure: Figure) => runs[label].reduce((all, one) => all * one[figure], 1);
  const figures = Object.keys(runs.A[0] ?? {}) as Figure[];
  return Object.fromEntries(
    figures.map((figure) => [figure, (product('B', figure) / product('A', figure)) ** (1 / runs.A.length)]),
  ) as Record<Figure, number>;
}
