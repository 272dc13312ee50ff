import { expect, test } from 'vitest';
import type { LiveBox } from '../../../bench/report/live.ts';
import { firstTrouble, THRESHOLDS } from '../../../bench/watch/first-trouble.ts';
import type { WatchSample } from '../../../bench/watch/watch-sample.ts';

const MB = 1024 * 1024;
const calm: LiveBox = { usedBytes: 200 * MB, limitBytes: 512 * MB, eventLoopDelayP99Ms: 12, poolWaiting: 0 };

function sample(elapsedSeconds: number, api: Partial<LiveBox> = {}, rest: Partial<WatchSample> = {}): WatchSample {
  const boxes = { primary: { usedBytes: 60 * MB, limitBytes: 512 * MB, oomKills: 0 }, api: { ...calm, ...api } };
  return { scenario: 'soak', elapsedSeconds, dueSeconds: 30, boxes, deaths: [], ...rest };
}

test('a calm run has no trouble, and neither has one without samples', () => {
  expect(firstTrouble([sample(1), sample(2), sample(3)])).toBeUndefined();
  expect(firstTrouble([])).toBeUndefined();
});

test.each<[string, WatchSample]>([
  ['api killed by the kernel for want of memory at 7 s', sample(7, { oomKills: 1 })],
  ['the api died with code 134 at 7 s', sample(7, {}, { deaths: ['the api died with code 134\n  last line\n'] })],
  ['api memory 80 % of its limit at 7 s', sample(7, { usedBytes: 0.8 * 512 * MB })],
  ['api event loop 310 ms at 7 s', sample(7, { eventLoopDelayP99Ms: 310 })],
  ['replica 2.5 s behind at 7 s', sample(7, {}, { replicaLagMs: 2_500 })],
  ['generator dropped 3 requests at 7 s', sample(7, {}, { generator: { elu: 0.2, dropped: 3 } })],
  ['generator late, busy 90 % of the time at 7 s', sample(7, {}, { generator: { elu: 0.9, dropped: 0 } })],
])('names it: %s', (words, bad) => {
  expect(firstTrouble([sample(5), sample(6), bad, sample(8, { oomKills: 1 })])).toBe(words);
});

test('what came first is the cause, however grave what followed', () => {
  const samples = [
    sample(4, { eventLoopDelayP99Ms: 900 }),
    sample(5, { usedBytes: 500 * MB }),
    sample(6, { oomKills: 1 }),
  ];
  expect(firstTrouble(samples)).toBe('api event loop 900 ms at 4 s');
});

test('of what one sample shows, the graver is named', () => {
  const both = sample(4, { usedBytes: 500 * MB, eventLoopDelayP99Ms: 900, oomKills: 1 }, { deaths: ['the api died'] });
  expect(firstTrouble([both])).toBe('api killed by the kernel for want of memory at 4 s');
});

test('a value at its threshold is no trouble yet', () => {
  const { eventLoopDelayP99Ms, memoryShare, replicaLagMs, generatorElu } = THRESHOLDS;
  const edge = sample(
    4,
    { eventLoopDelayP99Ms, usedBytes: memoryShare * 512 * MB },
    { replicaLagMs, generator: { elu: generatorElu, dropped: 0 } },
  );
  expect(firstTrouble([edge])).toBeUndefined();
});

test('callers that wait are trouble when some wait for several samples in a row', () => {
  const waiting = (...counts: number[]) => counts.map((poolWaiting, at) => sample(at, { poolWaiting }));
  expect(firstTrouble(waiting(0, 2, 3, 4))).toBe('api 4 wait for a database connection at 3 s');
  expect(firstTrouble(waiting(2, 3, 0, 4, 5, 0))).toBeUndefined();
});

test('a queue is trouble when it has grown for some time, not in a burst that is worked off', () => {
  const depths = (queued: readonly (number | undefined)[]) =>
    queued.map((depth, at) => sample(at, {}, depth === undefined ? {} : { queued: depth }));
  const growing = Array.from({ length: THRESHOLDS.queueGrowsForSamples + 1 }, (_, at) => at * 100);
  expect(firstTrouble(depths(growing))).toBe('queue depth growing, 1000 at 10 s');
  expect(firstTrouble(depths(growing.slice(1)))).toBeUndefined();
  expect(firstTrouble(depths(growing.with(5, 0)))).toBeUndefined();
  expect(firstTrouble(depths([...growing.slice(0, 5), undefined, ...growing.slice(6)]))).toBeUndefined();
});
