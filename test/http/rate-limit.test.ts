import { afterEach, expect, test, vi } from 'vitest';
import type { AppError } from '../../src/errors.ts';
import { createRateLimit } from '../../src/http/rate-limit.ts';
import { RATE_LIMIT_KEYS_MAX } from '../../src/limits.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('an attempt beyond the limit is refused with the seconds that remain', () => {
  const clock = fakeClock();
  const limit = createRateLimit('tries', 3);
  for (let n = 0; n < 3; n++) limit.count('ada');
  clock.advance(20_000);
  const refusal = refusalOf(() => limit.count('ada'));
  expect(refusal).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 40 });
  expect(refusal.message).toBe('Too many tries. Try again in 40 seconds.');
});

test('each key has its own count', () => {
  const limit = createRateLimit('tries', 1);
  limit.count('ada');
  expect(() => limit.count('ben')).not.toThrow();
  expect(() => limit.count('ada')).toThrow('Too many tries');
});

test('the window ends a minute after the first attempt, however many follow', () => {
  const clock = fakeClock();
  const limit = createRateLimit('tries', 1);
  limit.count('ada');
  for (let second = 10; second < 60; second += 10) {
    clock.advance(10_000);
    expect(() => limit.count('ada')).toThrow('Too many tries');
  }
  clock.advance(10_001);
  expect(() => limit.count('ada')).not.toThrow();
});

test('a key that was forgotten starts from zero', () => {
  const limit = createRateLimit('tries', 1);
  limit.count('ada');
  limit.forget('ada');
  expect(() => limit.count('ada')).not.toThrow();
});

test('keys beyond the limit push out the oldest, so that memory stays bounded', () => {
  const limit = createRateLimit('tries', 1);
  limit.count('the oldest');
  for (let n = 0; n < RATE_LIMIT_KEYS_MAX - 1; n++) limit.count(`key ${n}`);
  expect(() => limit.count(`key ${RATE_LIMIT_KEYS_MAX - 2}`)).toThrow('Too many tries');
  limit.count('one more');
  expect(() => limit.count('the oldest')).not.toThrow();
});

function refusalOf(work: () => void): AppError {
  try {
    work();
  } catch (error) {
    return error as AppError;
  }
  throw new Error('It was not refused');
}

function fakeClock() {
  let now = performance.now();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  return {
    advance(ms: number) {
      now += ms;
      vi.advanceTimersByTime(ms);
    },
  };
}
