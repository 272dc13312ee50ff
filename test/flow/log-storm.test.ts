import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogStorm } from '../../src/flow/log-storm.ts';
import { LOG_STORM_EVERY_MS, LOG_STORM_KINDS_MAX } from '../../src/limits.ts';

const lines: Record<string, unknown>[] = [];
const write = (fields: object, text: string) => void lines.push({ ...fields, text });
beforeEach(() => {
  lines.length = 0;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const refused = () => Object.assign(new Error(`connect ECONNREFUSED ${Math.random()}`), { code: 'ECONNREFUSED' });

test('an error that happens once is logged at once and in full', () => {
  const error = new Error('odd');
  createLogStorm(write, 'failed')(error);
  expect(lines).toEqual([{ err: error, text: 'failed' }]);
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(1);
});

test('a storm is one line a second, with a count, and its end is noticed', () => {
  const log = createLogStorm(write, 'failed');
  for (let second = 0; second < 3; second++) {
    for (let error = 0; error < 1_000; error++) log(refused());
    vi.advanceTimersByTime(LOG_STORM_EVERY_MS);
  }
  expect(lines.map(({ kind, count }) => [kind, count])).toEqual([
    [undefined, undefined],
    ['Error ECONNREFUSED', 999],
    ['Error ECONNREFUSED', 1_000],
    ['Error ECONNREFUSED', 1_000],
  ]);
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(4);
  log(refused());
  expect(lines[4]).toMatchObject({ err: expect.any(Error) });
});

test('a rare error is not hidden by a storm of another', () => {
  const log = createLogStorm(write, 'failed');
  for (let error = 0; error < 100; error++) log(refused());
  const rare = new TypeError('undefined is not a function');
  log(rare);
  expect(lines[1]).toEqual({ err: rare, text: 'failed' });
});

test('the kinds that are remembered are bounded', () => {
  const log = createLogStorm(write, 'failed');
  for (let kind = 0; kind < 10_000; kind++) log(Object.assign(new Error('x'), { code: `E${kind}` }));
  expect(lines.length).toBeLessThanOrEqual(LOG_STORM_KINDS_MAX + 1);
  vi.advanceTimersByTime(LOG_STORM_EVERY_MS);
  expect(lines.reduce((sum, { count }) => sum + Number(count ?? 1), 0)).toBe(10_000);
});
