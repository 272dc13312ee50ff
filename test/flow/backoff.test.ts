import { expect, test } from 'vitest';
import { backoffMs } from '../../src/flow/backoff.ts';

const RANGE = { base: 10, max: 500 };
const LONGEST = () => 1 - Number.EPSILON;

test('the longest possible wait doubles with each attempt up to the maximum', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffMs(attempt, RANGE, LONGEST) + 1);
  expect(longest).toEqual([10, 20, 40, 80, 160, 320, 500, 500]);
});

test('waits use the whole range down to zero (full jitter), so that callers that failed together do not return together', () => {
  expect(backoffMs(4, RANGE, () => 0)).toBe(0);
  expect(backoffMs(4, RANGE, () => 0.5)).toBe(80);
  const waits = Array.from({ length: 1_000 }, () => backoffMs(4, RANGE));
  expect(Math.min(...waits)).toBeLessThan(40);
  expect(Math.max(...waits)).toBeGreaterThan(120);
  expect(Math.max(...waits)).toBeLessThan(160);
  expect(waits.every(Number.isInteger)).toBe(true);
});

test('the thousandth attempt still has a finite wait', () => {
  expect(backoffMs(1_000, RANGE, LONGEST)).toBe(499);
  expect(backoffMs(10_000, { base: 1, max: Number.MAX_SAFE_INTEGER }, LONGEST)).toBeLessThan(2 ** 31);
});
