import { expect, test } from 'vitest';
import { neededBytes } from '../../../bench/box/usage.ts';

const PAGES = { chargedBytes: 100, activeFileBytes: 30, inactiveFileBytes: 20, mappedBytes: 25, sharedBytes: 10 };

test('what is needed is all but the cached pages of files that nobody has mapped', () => {
  expect(neededBytes(PAGES)).toBe(100 - 50 + 15);
});

test('shared memory, which counts as mapped, is not taken for a program', () => {
  expect(neededBytes({ ...PAGES, mappedBytes: 10, sharedBytes: 40 })).toBe(50);
});

test('counters that were read at different moments never make it more than what is charged, or less than nothing', () => {
  expect(neededBytes({ ...PAGES, mappedBytes: 500, sharedBytes: 0 })).toBe(100);
  expect(neededBytes({ ...PAGES, chargedBytes: 20, mappedBytes: 0 })).toBe(0);
});
