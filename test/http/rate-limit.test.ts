import type { FastifyReply } from 'fastify';
import { afterEach, expect, test, vi } from 'vitest';
import type { AppError } from '../../src/errors.ts';
import { createRateLimits, type RateLimit } from '../../src/http/rate-limit.ts';
import { RATE_LIMIT_KEYS_MAX } from '../../src/limits.ts';

const createRateLimit = createRateLimits();

afterEach(() => vi.restoreAllMocks());

test('an attempt beyond the limit is refused with the seconds that remain', async () => {
  const clock = fakeClock();
  const limit = createRateLimit('tries', 3);
  for (let n = 0; n < 3; n++) await limit.count('ada');
  clock.advance(20_000);
  const refusal = await refusalOf(limit, 'ada');
  expect(refusal).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 40 });
  expect(refusal.message).toBe('Too many tries. Try again in 40 seconds.');
});

test('each key has its own count', async () => {
  const limit = createRateLimit('tries', 1);
  await limit.count('ada');
  await limit.count('ben');
  await refusalOf(limit, 'ada');
});

test('the window ends a minute after the first attempt, however many follow', async () => {
  const clock = fakeClock();
  const limit = createRateLimit('tries', 1);
  await limit.count('ada');
  for (let second = 10; second < 60; second += 10) {
    clock.advance(10_000);
    await refusalOf(limit, 'ada');
  }
  clock.advance(10_001);
  await limit.count('ada');
});

test('attempts at the same time are counted one by one', async () => {
  const limit = createRateLimit('tries', 10);
  const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => limit.count('ada')));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
});

test('a key that was forgotten starts from zero, and one attempt that was taken back may be made again', async () => {
  const limit = createRateLimit('tries', 2);
  for (const key of ['ada', 'ada', 'ben', 'ben']) await limit.count(key);
  expect(() => limit.refuseUsedUp('ada')).toThrow('Too many tries');
  limit.forget('ada');
  limit.refund('ben');
  for (const key of ['ada', 'ada', 'ben']) await limit.count(key);
  await refusalOf(limit, 'ada');
  await refusalOf(limit, 'ben');
});

test('whoever is refused is told by which limit, also where only the outcome counts', async () => {
  const headers = new Map<string, string>();
  const reply = {
    getHeader: (name: string) => headers.get(name),
    header: (name: string, value: string) => headers.set(name, value),
  } as unknown as FastifyReply;
  const limit = createRateLimit('tries', 1);
  limit.refuseUsedUp('ada', reply);
  expect([...headers]).toEqual([]);
  await limit.count('ada');
  expect(() => limit.refuseUsedUp('ada', reply)).toThrow('Too many tries');
  expect([...headers]).toEqual([
    ['ratelimit-policy', '"tries";q=1;w=60'],
    ['ratelimit', '"tries";r=0;t=60'],
  ]);
});

test('keys beyond the limit push out the oldest, so that memory stays bounded', async () => {
  const limit = createRateLimit('tries', 1);
  await limit.count('the oldest');
  for (let n = 0; n < RATE_LIMIT_KEYS_MAX - 1; n++) await limit.count(`key ${n}`);
  await refusalOf(limit, `key ${RATE_LIMIT_KEYS_MAX - 2}`);
  await limit.count('one more');
  await limit.count('the oldest');
});

function refusalOf(limit: RateLimit, key: string): Promise<AppError> {
  return limit.count(key).then(
    () => {
      throw new Error('It was not refused');
    },
    (error: AppError) => {
      expect(error.message).toContain('Too many tries');
      return error;
    },
  );
}

function fakeClock() {
  let now = Math.ceil(performance.now()); // sums of whole numbers are exact: of others 40 seconds can be a little more
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  return {
    advance(ms: number) {
      now += ms;
    },
  };
}
