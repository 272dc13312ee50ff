import { expect, test } from 'vitest';
import { estimate, judge } from '../../../bench/ab/statistics.ts';
import { createRandom } from '../../../bench/load/random.ts';
import { median } from '../../../bench/numbers.ts';

/** Ratios around a true one, mostly a few per cent off, now and then a lot. */
function ratios(ratio: number, count: number, seed: number): number[] {
  const random = createRandom(seed);
  const sign = () => (random.below(2) === 0 ? -1 : 1);
  return Array.from({ length: count }, () => ratio * Math.exp(0.03 * sign() * random.exponential()));
}

const inTwo = (all: number[]) => [all.slice(0, all.length / 2), all.slice(all.length / 2)];

test('99 of 100 intervals hold the true ratio', () => {
  for (const count of [8, 10, 20]) {
    const missed = Array.from({ length: 1_000 }, (_, seed) => estimate(ratios(1.1, count, seed))).filter(
      ({ low, high }) => low > 1.1 || high < 1.1,
    );
    expect(missed.length, `of 1,000 with ${count} blocks`).toBeLessThanOrEqual(18);
    expect(missed.length, 'an interval that never misses is too wide').toBeGreaterThan(0);
  }
});

test('two copies of one version show no difference', () => {
  const verdicts = Array.from({ length: 100 }, (_, seed) => judge(inTwo(ratios(1, 10, seed))).verdict);
  expect(verdicts.filter((verdict) => verdict !== 'no difference shown').length).toBeLessThanOrEqual(1);
});

test('a fifth more is slower, a fifth less is faster', () => {
  expect(judge(inTwo(ratios(1.2, 10, 1))).verdict).toBe('slower');
  expect(judge(inTwo(ratios(1 / 1.2, 10, 1))).verdict).toBe('faster');
});

test('B against A says the same as A against B', () => {
  const there = estimate(ratios(1.1, 11, 3));
  const back = estimate(ratios(1.1, 11, 3).map((ratio) => 1 / ratio));
  expect(back.median).toBeCloseTo(1 / there.median, 10);
  expect(back.low).toBeCloseTo(1 / there.high, 10);
  expect(back.high).toBeCloseTo(1 / there.low, 10);
});

test('the interval of few ratios is that of the printed tables', () => {
  // Wilcoxon, two-sided 1 %: the critical sum of ranks is 0 for 8, 3 for 10, 7 for 12.
  for (const [count, critical] of [
    [8, 0],
    [10, 3],
    [12, 7],
  ] as const) {
    const logs = Array.from({ length: count }, (_, at) => Math.exp(2 ** at / 2 ** count));
    const means = logs.flatMap((a, at) => logs.slice(at).map((b) => Math.sqrt(a * b))).sort((a, b) => a - b);
    expect(estimate(logs).low).toBeCloseTo(means[critical] as number, 10);
    expect(estimate(logs).high).toBeCloseTo(means.at(-1 - critical) as number, 10);
  }
});

test('a difference that one start shows and the other does not is none', () => {
  const second = [0.99, 0.98, 0.985, 0.99];
  const first = Array.from({ length: 30 }, () => 1.2);
  expect(estimate([...first, ...second]).low).toBeGreaterThan(1);
  expect(judge([first, second]).verdict).toBe('no difference shown');
  expect(judge([first]).verdict).toBe('no difference shown');
  expect(judge([first, first])).toMatchObject({
    verdict: 'slower',
    byStart: [expect.closeTo(1.2), expect.closeTo(1.2)],
  });
});

test('a difference that is sure but tiny is none', () => {
  const sure = Array.from({ length: 10 }, () => 1.01);
  expect(judge([sure, sure])).toMatchObject({ low: expect.closeTo(1.01), verdict: 'no difference shown' });
});

test('a few blocks show nothing, however far off they are', () => {
  expect(
    judge([
      [1.5, 1.6, 1.5],
      [1.5, 1.7, 1.6, 1.5],
    ]),
  ).toMatchObject({ low: 0, high: Infinity, verdict: 'no difference shown' });
  expect(
    judge([
      [1.5, 1.5, 1.5, 1.5],
      [1.5, 1.5, 1.5, 1.5],
    ]).verdict,
  ).toBe('slower');
});

test('what is no ratio is an error, not an estimate', () => {
  expect(() => estimate([])).toThrow('no ratios');
  expect(() => estimate([1, Number.NaN])).toThrow('Not all ratios');
  expect(() => estimate([1, 0])).toThrow('Not all ratios');
});

test('a median of an even number lies between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
});
