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

/** How many pass until the time is over, with a few callers waiting at any time. */
async function passesIn(throttles: readonly { pass(): Promise<void> }[], ms: number): Promise<number> {
  const end = performance.now() + ms;
  let passed = 0;
  const caller = async (throttle: { pass(): Promise<void> }) => {
    for (;;) {
      await throttle.pass();
      if (performance.now() > end) return;
      passed++;
    }
  };
  await Promise.all(throttles.flatMap((throttle) => [caller(throttle), caller(throttle), caller(throttle)]));
  return passed;
}

/** Never faster. It is slower while the machine does other things, and then measured again. */
async function expectRate(
  throttles: readonly { pass(): Promise<void> }[],
  rate: number,
  { within, ms }: { within: number; ms: number },
): Promise<void> {
  await until(`it is not slower than ${rate} a second`, async () => {
    const perSecond = (await passesIn(throttles, ms)) / (ms / 1_000);
    expect(perSecond).toBeLessThan(rate * (1 + within));
    return perSecond > rate * (1 - within);
  });
}

test('two processes together keep to the one rate, within 5 percent', async () => {
  const both = [await openThrottle(2), await openThrottle(2)].map(({ throttle }) => throttle);
  await passesIn(both, 500); // uses up the burst
  await expectRate(both, RATE, { within: 0.05, ms: 3_000 });
});

test('one process alone may use all of the rate', async () => {
  const { throttle } = await openThrottle(2);
  await passesIn([throttle], 500);
  await expectRate([throttle], RATE, { within: 0.05, ms: 2_000 });
});

test('while Redis is away each process keeps to its share, and it shares again when Redis is back', async () => {
  const { throttle, redis } = await openThrottle(4);
  await gate.shut();
  await until('the loss was noticed', () => redis.status !== 'ready');
  await passesIn([throttle], 300);
  await expectRate([throttle], RATE / 4, { within: 0.1, ms: 2_000 });
  await gate.open();
  await until('it shares again', async () => (await passesIn([throttle], 200)) > 30, 15_000);
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
  const passed = await passesIn([other.throttle], 1_000);
  expect(passed).toBeLessThanOrEqual(18);
});

test('a waiting caller can be aborted', async () => {
  const { throttle } = await openThrottle(1);
  const stop = new AbortController();
  throttle.slowDown(0.1);
  const waiting = Promise.all(Array.from({ length: 100 }, () => throttle.pass(stop.signal)));
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});
