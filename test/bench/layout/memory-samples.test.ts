import { expect, test } from 'vitest';
import { lastSecond, samplesSince } from '../../../bench/layout/memory-samples.ts';

const SAMPLES = {
  api: [
    [0, 10],
    [1, 20],
    [2.1, 30],
  ],
  chat: [
    [0, 1],
    [1, 2],
  ],
} as const;

test('a scenario keeps the samples of its own time, counted from its beginning', () => {
  expect(samplesSince(1, SAMPLES)).toEqual({
    api: [
      [0, 20],
      [1.1, 30],
    ],
    chat: [[0, 2]],
  });
});

test('the last second is that of the latest sample of any box, 0 before the first', () => {
  expect(lastSecond(SAMPLES)).toBe(2.1);
  expect(lastSecond({ api: [], chat: [] })).toBe(0);
  expect(lastSecond({})).toBe(0);
});
