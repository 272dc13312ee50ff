import { expect, test } from 'vitest';
import { createRandom } from '../../../bench/load/random.ts';
import { dueTimes, requestsOf, secondsOf } from '../../../bench/load/schedule.ts';

const PHASES = [
  { seconds: 10, perSecond: 100 },
  { seconds: 10, from: 100, perSecond: 500 },
  { seconds: 10, from: 500, perSecond: 0 },
];

test('constant arrivals: as many as the area under the rate, evenly, in order', () => {
  const times = [...dueTimes(PHASES, 'constant', createRandom(1))];
  expect(times).toHaveLength(requestsOf(PHASES));
  expect(times.slice(0, 3)).toEqual([0, 10, 20]);
  expect(times.filter((ms) => ms >= 10_000 && ms < 20_000)).toHaveLength(3_000);
  expect(times.every((ms, index) => index === 0 || ms > (times[index - 1] as number))).toBe(true);
  expect(times.at(-1)).toBeLessThan(1_000 * secondsOf(PHASES));
});

test('poisson arrivals: seeded, as many as expected on average, and as uneven as chance', () => {
  const phases = [{ seconds: 1_000, perSecond: 50 }];
  const times = [...dueTimes(phases, 'poisson', createRandom(7))];
  expect(times).toEqual([...dueTimes(phases, 'poisson', createRandom(7))]);
  expect(Math.abs(times.length - 50_000)).toBeLessThan(4 * Math.sqrt(50_000));
  const perSecond = new Array<number>(1_000).fill(0);
  for (const ms of times) perSecond[Math.floor(ms / 1_000)] = (perSecond[Math.floor(ms / 1_000)] as number) + 1;
  const variance = perSecond.reduce((sum, count) => sum + (count - 50) ** 2, 0) / 1_000;
  expect(variance / 50).toBeGreaterThan(0.8);
  expect(variance / 50).toBeLessThan(1.2);
});

test('a phase of silence yields nothing', () => {
  expect([
    ...dueTimes(
      [
        { seconds: 5, perSecond: 0 },
        { seconds: 1, perSecond: 2 },
      ],
      'constant',
      createRandom(1),
    ),
  ]).toEqual([5_000, 5_500]);
});
