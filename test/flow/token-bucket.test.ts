import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTokenBuckets } from '../../src/flow/token-bucket.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

const take = (spend: (key: string) => boolean, times: number, key = 'a') =>
  Array.from({ length: times }, () => spend(key)).filter(Boolean).length;

test('a key gets its burst at once, and then its rate, however long it has waited', () => {
  const { spend } = createTokenBuckets({ perSecond: 10, burst: 5 });
  expect(take(spend, 20)).toBe(5);
  vi.advanceTimersByTime(300);
  expect(take(spend, 20)).toBe(3);
  vi.advanceTimersByTime(3_600_000);
  expect(take(spend, 20)).toBe(5);
});

test('one key does not spend what another one has', () => {
  const { spend } = createTokenBuckets({ perSecond: 1, burst: 2 });
  expect(take(spend, 5, 'a')).toBe(2);
  expect(take(spend, 5, 'b')).toBe(2);
});

test('a fine is paid off before anything else, and is never more than a second burst', () => {
  const { fine, owes, spend } = createTokenBuckets({ perSecond: 10, burst: 5 });
  expect(owes('a')).toBe(false);
  fine('a', 7);
  expect([owes('a'), owes('b'), spend('a'), spend('b')]).toEqual([true, false, false, true]);
  vi.advanceTimersByTime(200);
  expect([owes('a'), spend('a')]).toEqual([false, false]);
  vi.advanceTimersByTime(100);
  expect(spend('a')).toBe(true);
  fine('a', 1_000);
  vi.advanceTimersByTime(500);
  expect(owes('a')).toBe(false);
});

test('what costs more than is left takes all of it, and the key is not in debt', () => {
  const { spend } = createTokenBuckets({ perSecond: 10, burst: 5 });
  expect(spend('a', 100)).toBe(true);
  expect(spend('a')).toBe(false);
  vi.advanceTimersByTime(100);
  expect(spend('a')).toBe(true);
});
