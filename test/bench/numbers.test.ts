import { expect, test } from 'vitest';
import { median, quantile, round, sum } from '../../bench/numbers.ts';

test('the median is the value in the middle, or the mean of the two there', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 9])).toBe(3);
  expect(median([])).toBeNaN();
});

test('a quantile is a value that was measured', () => {
  const values = Array.from({ length: 20 }, (_, nth) => nth + 1);
  expect(quantile(values, 0.95)).toBe(19);
  expect(quantile([7], 0.95)).toBe(7);
  expect(quantile([], 0.95)).toBe(0);
});

test('rounding and adding', () => {
  expect(round(1.25, 1)).toBe(1.3);
  expect(sum([1, 2, 3])).toBe(6);
});
