import { expect, test } from 'vitest';
import { type Clock, createThrottle as create, type Pace } from '../../src/flow/throttle.ts';

const PACE: Pace = { burstMs: 1_000, decrease: 0.7, growthSeconds: 50, min: 0.1 };
const createThrottle = (perSecond: number, clock?: Clock) => create(perSecond, PACE, clock);

test('waiting callers pass one after the other at the rate, none of them early', async () => {
  const clock = createClock();
  const throttle = createThrottle(10, clock);
  const passed = await Promise.all(Array.from({ length: 5 }, () => throttle.pass().then(() => clock.slept.at(-1))));
  expect(passed).toHaveLength(5);
  expect(clock.slept).toEqual([100, 200, 300, 400, 500]);
});

test('callers that arrive at the rate or slower do not wait', async () => {
  const clock = createClock();
  const throttle = createThrottle(10, clock);
  for (let turn = 0; turn < 20; turn++) {
    clock.advance(100);
    await throttle.pass();
  }
  expect(clock.slept).toEqual([]);
});

test('an idle hour allows a burst of one second’s worth, not of an hour’s', async () => {
  const clock = createClock();
  const throttle = createThrottle(10, clock);
  clock.advance(3_600_000);
  for (let mail = 0; mail < 10; mail++) await throttle.pass();
  expect(clock.slept).toEqual([]);
  await throttle.pass();
  expect(clock.slept).toEqual([100]);
});

test('in any period no more pass than the rate and one burst allow', async () => {
  const clock = createClock();
  const throttle = createThrottle(50, clock);
  let passed = 0;
  const start = clock.now();
  clock.advance(5_000);
  const burstFrom = clock.now();
  while (clock.now() < burstFrom + 10_000) {
    await throttle.pass();
    clock.advance(clock.slept.pop() ?? 0);
    passed++;
  }
  expect(start).toBeLessThan(burstFrom);
  expect(passed).toBeLessThanOrEqual(50 * 10 + 50 + 1);
  expect(passed).toBeGreaterThanOrEqual(50 * 10);
});

test('a waiting caller can be aborted', async () => {
  const throttle = createThrottle(0.001);
  const stop = new AbortController();
  const waiting = throttle.pass(stop.signal);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});

test('a refusal cuts the rate to a part of what was taken, and it grows back evenly', () => {
  const clock = createClock();
  const throttle = createThrottle(500, clock);
  throttle.slowDown(14);
  expect(throttle.perSecond).toBeCloseTo(9.8);
  clock.advance(25_000);
  expect(throttle.perSecond).toBeCloseTo(14.7);
  clock.advance(25_000);
  expect(throttle.perSecond).toBeCloseTo(19.6);
  clock.advance(3_600_000);
  expect(throttle.perSecond).toBe(500);
});

test('the refusals of one second are one', () => {
  const clock = createClock();
  const throttle = createThrottle(100, clock);
  for (let refusal = 0; refusal < 20; refusal++) throttle.slowDown(50);
  expect(throttle.perSecond).toBeCloseTo(35);
  clock.advance(1_000);
  throttle.slowDown(50);
  expect(throttle.perSecond).toBeCloseTo(0.7 * 35 * 1.02);
});

test('when nothing was taken the rate is halved, and never below the least', () => {
  const clock = createClock();
  const throttle = createThrottle(1, clock);
  throttle.slowDown(0);
  expect(throttle.perSecond).toBeCloseTo(0.5);
  for (let refusal = 0; refusal < 20; refusal++) {
    clock.advance(1_000);
    throttle.slowDown(0);
  }
  expect(throttle.perSecond).toBeCloseTo(0.1);
});

/** Time passes when the test says so; sleeps are written down and end at once. */
function createClock(): Clock & { advance(ms: number): void; slept: number[] } {
  let now = 1_000_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    sleep: async (ms) => void slept.push(Math.round(ms)),
  };
}
