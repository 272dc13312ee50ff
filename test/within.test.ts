import { stat } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { within } from '../src/within.ts';

const MINUTE_MS = 60_000;

/** Nothing else runs meanwhile. */
function holdTheLoop(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('work that is done in time is what it came to, and what takes longer is undefined', async () => {
  expect(await within(MINUTE_MS, Promise.resolve('done'))).toBe('done');
  expect(await within(1, new Promise(() => undefined))).toBeUndefined();
});

test('a failure in time is thrown, and one that comes later harms nobody', async () => {
  await expect(within(MINUTE_MS, Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  const { promise, reject } = Promise.withResolvers<never>();
  expect(await within(1, promise)).toBeUndefined();
  reject(new Error('too late'));
  await new Promise(setImmediate);
});

test('an answer that arrived while the event loop was held is in time', async () => {
  const answer = within(1, promisify(stat)(import.meta.filename));
  holdTheLoop(100);
  expect(await answer).toMatchObject({ size: expect.any(Number) });
});
