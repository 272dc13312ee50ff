import { expect, test } from 'vitest';
import { estimate, median } from '../../../bench/ab/statistics.ts';
import { createRandom } from '../../../bench/load/random.ts';

/** Ten pairs of a true ratio, each up to 8 % off. */
function pairs(ratio: number, seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: 10 }, () => ratio * (1 + (random.next() - 0.5) * 0.16));
}

test('two copies of one version show no difference', () => {
  const verdicts = Array.from({ length: 100 }, (_, seed) => estimate(pairs(1, seed)).verdict);
  expect(verdicts.filter((verdict) => verdict !== 'no difference shown').length).toBeLessThanOrEqual(4);
});

test('a fifth more is slower, a fifth less is faster, and the interval holds the true ratio', () => {
  const slower = estimate(pairs(1.2, 1));
  expect(slower.verdict).toBe('slower');
  expect(slower.low).toBeLessThan(1.2);
  expect(slower.high).toBeGreaterThan(1.2);
  expect(estimate(pairs(0.8, 1)).verdict).toBe('faster');
});

test('a difference that is sure but tiny is none', () => {
  expect(estimate(Array.from({ length: 10 }, () => 1.01)).verdict).toBe('no difference shown');
});

test('a few pairs show nothing, however far off they are', () => {
  expect(estimate([1.5, 1.6]).verdict).toBe('no difference shown');
  expect(estimate(Array.from({ length: 8 }, () => 1.5)).verdict).toBe('slower');
});

test('the same ratios give the same estimate', () => {
  expect(estimate(pairs(1.1, 3))).toEqual(estimate(pairs(1.1, 3)));
});

test('a median of an even number lies between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
  expect(() => estimate([])).toThrow('no pairs');
});
