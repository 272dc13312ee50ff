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

test('a key is told how long it waits for a token, debts included, and a refund shortens that', () => {
  const { fine, refund, spend, waitMs } = createTokenBuckets({ perSecond: 10, burst: 2 });
  expect(waitMs('a')).toBe(0);
  take(spend, 2);
  expect(waitMs('a')).toBe(100);
  fine('a', 1);
  expect(waitMs('a')).toBe(200);
  refund('a', 1);
  expect(waitMs('a')).toBe(100);
  vi.advanceTimersByTime(100);
  expect([waitMs('a'), spend('a')]).toEqual([0, true]);
});

test('a refund never makes more than a burst', () => {
  const { refund, spend } = createTokenBuckets({ perSecond: 10, burst: 2 });
  refund('a', 10);
  expect(take(spend, 20)).toBe(2);
});
