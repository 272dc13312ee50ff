import { expect, test } from 'vitest';
import { type Label, orderOf, runBlock } from '../../../bench/ab/blocks.ts';
import { createRandom } from '../../../bench/load/random.ts';

const BLOCKS = 12;

/** What blocks say of sides of which B takes `ratio` times as long, on a machine that adds `disturbance` of its own. */
async function blocks(ratio: number, disturbance: (at: number, label: Label, last: Label | undefined) => number) {
  const random = createRandom(1);
  const said: number[] = [];
  let at = 0;
  let last: Label | undefined;
  for (let block = 1; block <= BLOCKS; block++) {
    const { p50 } = await runBlock(orderOf(random), block, async (label) => {
      const p50 = (label === 'B' ? ratio : 1) * disturbance(at, label, last);
      at++;
      last = label;
      return { p50 };
    });
    said.push(p50);
  }
  return said;
}

test('a machine that gets slower with every run is not charged to either side', async () => {
  for (const said of await blocks(1.2, (at) => 1.05 ** at)) expect(said).toBeCloseTo(1.2, 10);
});

test('a rhythm of the machine that is as long as a block evens out, because a coin says who is first', async () => {
  const said = await blocks(1, (at) => (at % 4 === 1 || at % 4 === 2 ? 1.5 : 1));
  expect(said.some((ratio) => ratio > 1)).toBe(true);
  expect(said.some((ratio) => ratio < 1)).toBe(true);
});

test('both sides are asked the same, in every block something else', async () => {
  const asked: Record<Label, number[]> = { A: [], B: [] };
  for (const block of [0, 1, 2]) {
    await runBlock(orderOf(createRandom(block)), block, async (label, seed) => {
      asked[label].push(seed);
      return { p50: 1 };
    });
  }
  expect(asked.A).toEqual([0, 1, 2, 3, 4, 5]);
  expect(asked.B).toEqual(asked.A);
});

test('within a block each side is as early as the other, and each order comes up', () => {
  const random = createRandom(7);
  const orders = Array.from({ length: 50 }, () => orderOf(random).join(''));
  expect(new Set(orders)).toEqual(new Set(['ABBA', 'BAAB']));
});

test('every figure has its own ratio', async () => {
  const run = async (label: Label) => (label === 'A' ? { p50: 10, cpu: 2 } : { p50: 5, cpu: 4 });
  expect(await runBlock(['A', 'B', 'B', 'A'], 1, run)).toEqual({ p50: 0.5, cpu: 2 });
});
