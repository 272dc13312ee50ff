import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { MAIL_PACE } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { openRedis } from '../../src/redis/redis.ts';
import { createSharedThrottle } from '../../src/redis/shared-throttle.ts';
import { until } from '../database.ts';
import { createTcpGate, type TcpGate } from '../tcp-gate.ts';
import { emptyRedis, testRedisUrl } from '../worker.ts';

const RATE = 200;
const TIMER_EARLY_MS = 2; // Node rounds the time of a timer
let gate: TcpGate;
const connections: Redis[] = [];
beforeEach(async () => {
  await emptyRedis();
  gate = await createTcpGate(new URL(testRedisUrl()), await freePort());
});
afterEach(async () => {
  for (const redis of connections.splice(0)) redis.disconnect();
  await gate.shut();
});

async function openThrottle(processes: number) {
  const url = new URL(testRedisUrl());
  url.port = String(gate.port);
  const redis = await openRedis(url.href, createLog('test', 'silent'));
  connections.push(redis);
  return {
    redis,
    throttle: createSharedThrottle(redis, { name: 'test', perSecond: RATE, processes, pace: MAIL_PACE }),
  };
}

/** A few callers at any time, until `isEnough`, which is told when each has passed, since the first began. */
async function passUntil(
  throttles: readonly { pass(): Promise<void> }[],
  isEnough: (passedMs: readonly number[]) => boolean,
): Promise<void> {
  const begun = performance.now();
  const passedMs: number[] = [];
  let isOver = false;
  const caller = async (throttle: { pass(): Promise<void> }) => {
    while (!isOver) {
      await throttle.pass();
      passedMs.push(performance.now() - begun);
      try {
        isOver ||= isEnough(passedMs);
      } catch (error) {
        isOver = true;
        throw error;
      }
    }
  };
  await Promise.all(throttles.flatMap((throttle) => [caller(throttle), caller(throttle), caller(throttle)]));
}

/** Each pass comes at its time or later, however late the machine is: `burstMs` of an unused rate may be caught up on. */
function expectNotFaster(passedMs: readonly number[], rate: number): void {
  const nth = passedMs.length - 1;
  expect(passedMs[nth]).toBeGreaterThan((nth * 1_000) / rate - MAIL_PACE.burstMs - TIMER_EARLY_MS);
}

/** It is slower while the machine does other things, and then measured for longer. */
async function expectRate(
  throttles: readonly { pass(): Promise<void> }[],
  rate: number,
  { within, ms }: { within: number; ms: number },
): Promise<void> {
  await passUntil(throttles, (passedMs) => {
    expectNotFaster(passedMs, rate);
    const nowMs = passedMs.at(-1) as number;
    const perSecond = passedMs.filter((at) => at > nowMs - ms).length / (ms / 1_000);
    return nowMs > ms && perSecond > rate * (1 - within);
  });
}

test('two processes together keep to the one rate, within 5 percent', async () => {
  const both = [await openThrottle(2), await openThrottle(2)].map(({ throttle }) => throttle);
  await expectRate(both, RATE, { within: 0.05, ms: 3_000 });
});

test('one process alone may use all of the rate', async () => {
  const { throttle } = await openThrottle(2);
  await expectRate([throttle], RATE, { within: 0.05, ms: 2_000 });
});

test('while Redis is away each process keeps to its share, and it shares again when Redis is back', async () => {
  const { throttle, redis } = await openThrottle(4);
  await gate.shut();
  await until('the loss was noticed', () => redis.status !== 'ready');
  await expectRate([throttle], RATE / 4, { within: 0.1, ms: 2_000 });
  await gate.open();
  // More than twice its share, which it never has alone.
  await passUntil([throttle], (passedMs) => {
    const nowMs = passedMs.at(-1) as number;
    return passedMs.filter((at) => at > nowMs - 500).length > RATE / 4;
  });
});

test('a refusal that one process meets slows down the others', async () => {
  const [one, other] = [await openThrottle(1), await openThrottle(1)];
  await one.throttle.pass();
  await other.throttle.pass();
  one.throttle.slowDown(20);
  await until('the other knows', async () => {
    await other.throttle.pass();
    return other.throttle.perSecond < 20;
  });
  // A part of 20 a second, growing slowly.
  await passUntil([other.throttle], (passedMs) => {
    const seconds = (passedMs.at(-1) as number) / 1_000;
    expectNotFaster(passedMs, 15 * (1 + seconds / MAIL_PACE.growthSeconds));
    return passedMs.length === 15;
  });
});

test('a waiting caller can be aborted', async () => {
  const { throttle } = await openThrottle(1);
  const stop = new AbortController();
  throttle.slowDown(0.1);
  const waiting = Promise.all(Array.from({ length: 100 }, () => throttle.pass(stop.signal)));
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});
