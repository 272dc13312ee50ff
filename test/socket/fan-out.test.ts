import { randomUUID } from 'node:crypto';
import { setImmediate as tick } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { FAN_OUT_KEYS_PER_COMMAND, FAN_OUT_PENDING_MAX } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import { openRedis } from '../../src/redis/redis.ts';
import { createFanOut, type FanOut, type FanOutOptions } from '../../src/socket/fan-out.ts';
import { until } from '../database.ts';
import { createTcpGate, type TcpGate } from '../tcp-gate.ts';
import { testRedisUrl } from '../worker.ts';

/** Quick, and still no stall of a busy machine is taken for a Redis that is gone: what is said meanwhile would be lost. */
const TIMING = { beatMs: 100, silenceMs: 600, reconnectMs: 1_500 };

interface Side {
  readonly fanOut: FanOut;
  readonly heard: string[];
  gaps: number;
}

let gate: TcpGate;
const open: { close(): void }[] = [];
beforeEach(async () => {
  gate = await createTcpGate(new URL(testRedisUrl()), await freePort());
});
afterEach(async () => {
  vi.useRealTimers();
  for (const opened of open.splice(0)) opened.close();
  await gate.shut();
});

/** Hears its own beat, so nothing is missed from here on. */
async function side(name = 'test', redisUrl = throughGate(), timing: FanOutOptions['timing'] = TIMING): Promise<Side> {
  const heard: string[] = [];
  const redis = await openRedis(redisUrl, createLog('test', 'silent'));
  const it: Side = {
    heard,
    gaps: 0,
    fanOut: createFanOut({
      redis,
      name,
      onMessage: (key, text) => heard.push(`${key}: ${text}`),
      onGap: () => void it.gaps++,
      metrics: createMetrics('test'),
      timing,
    }),
  };
  open.push(it.fanOut, { close: () => redis.disconnect() });
  await until('it hears itself', () => it.gaps > 0);
  return it;
}

/** What was said from here on comes later than what was there before. Only where time passes when the test says so. */
function timePasses(): void {
  vi.advanceTimersByTime(TIMING.silenceMs + 1);
}

/** Who says a beat from now on, and who a last one. */
async function listenToBeats(): Promise<{ alive: ReadonlySet<string>; gone: ReadonlySet<string> }> {
  const redis = await openRedis(testRedisUrl(), createLog('test', 'silent'));
  open.push({ close: () => redis.disconnect() });
  const [alive, gone] = [new Set<string>(), new Set<string>()];
  redis.on('message', (_channel, beat: string) => {
    const [sender = '', text] = beat.split(' ');
    (text === 'bye' ? gone : alive).add(sender);
  });
  await redis.subscribe(`test:${redis.options.db}:beat`);
  return { alive, gone };
}

/** Each of them has said a beat since, and the others have heard it: what a process says after a beat arrives after it. */
async function heardEachOther(sides: readonly Side[], room: string = randomUUID()): Promise<void> {
  const { alive } = await listenToBeats();
  await until('each has said its beat', () => alive.size >= sides.length);
  const round = randomUUID();
  await Promise.all(sides.map(({ fanOut }) => fanOut.join(room)));
  await until('each has been heard', () => {
    for (const [nth, { fanOut }] of sides.entries()) fanOut.publish(room, `${round} ${nth}`);
    return sides.every(({ heard }, own) =>
      sides.every((_, nth) => nth === own || heard.includes(`${room}: ${round} ${nth}`)),
    );
  });
}

/** Time passes, and nobody is late with a beat. Only where time passes when the test says so. */
async function beatsPass(sides: readonly Side[], ms: number, room?: string): Promise<void> {
  for (let passed = 0; passed < ms; passed += TIMING.beatMs) {
    vi.advanceTimersByTime(TIMING.beatMs);
    await heardEachOther(sides, room);
  }
}

function throughGate(): string {
  const url = new URL(testRedisUrl());
  url.port = String(gate.port);
  return url.href;
}

test('a message is heard by the other processes that joined its key, in order, and not by its own', async () => {
  const [one, other, third] = [await side(), await side(), await side()];
  await Promise.all([one.fanOut.join('room 1'), other.fanOut.join('room 1'), third.fanOut.join('room 2')]);
  for (let nth = 0; nth < 50; nth++) one.fanOut.publish('room 1', `message ${nth}`);
  await until('all have come', () => other.heard.length === 50);
  third.fanOut.publish('room 1', 'the last');
  await until('the last has come', () => [one, other].every(({ heard }) => heard.includes('room 1: the last')));
  expect(other.heard.slice(0, -1)).toEqual(Array.from({ length: 50 }, (_, nth) => `room 1: message ${nth}`));
  expect(one.heard).toEqual(['room 1: the last']);
  expect(third.heard).toEqual([]);
});

test('a process that comes later is told from those that were there before, also after Redis was away', async () => {
  vi.useFakeTimers({ toFake: ['performance'] }); // a machine that stalls must not make anybody late
  const one = await side();
  timePasses();
  const other = await side();
  await heardEachOther([one, other]);
  const since = one.fanOut.othersSince();
  expect(since).toBe(performance.now());
  expect(other.fanOut.othersSince()).toBe(Number.NEGATIVE_INFINITY);
  await gate.shut();
  await gate.open();
  await heardEachOther([one, other]);
  timePasses();
  await heardEachOther([one, other]);
  expect(one.fanOut.othersSince()).toBe(since);
  expect(other.fanOut.othersSince()).toBe(Number.NEGATIVE_INFINITY);
});

test('a key that was left is not heard, one that was left and joined again is', async () => {
  const [one, other] = [await side(), await side()];
  await other.fanOut.join('left');
  await other.fanOut.join('back');
  other.fanOut.leave('left');
  other.fanOut.leave('back');
  await other.fanOut.join('back');
  one.fanOut.publish('left', 'nobody there');
  one.fanOut.publish('back', 'hello');
  await until('it came', () => other.heard.length > 0);
  expect(other.heard).toEqual(['back: hello']);
});

test('two numbered databases of one Redis do not hear each other', async () => {
  const url = new URL(testRedisUrl());
  url.pathname = `/${15 - Number(url.pathname.slice(1))}`;
  const [one, neighbour, other] = [await side(), await side('test', url.href), await side()];
  await Promise.all([neighbour.fanOut.join('room'), other.fanOut.join('room')]);
  one.fanOut.publish('room', 'hello');
  await until('it came', () => other.heard.length > 0);
  expect(neighbour.heard).toEqual([]);
});

test('a thousand newcomers share a few commands', async () => {
  const [one, other] = [await side(), await side()];
  const keys = Array.from({ length: 2_500 }, (_, nth) => `room ${nth}`);
  await Promise.all(keys.map((key) => other.fanOut.join(key)));
  await until('the first and the last are heard', () => {
    for (const key of ['room 0', 'room 2499']) one.fanOut.publish(key, 'hello');
    return ['room 0: hello', 'room 2499: hello'].every((text) => other.heard.includes(text));
  });
});

test('while Redis is gone everybody is told to read again, about once a beat, and nobody waits for it', async () => {
  const one = await side();
  await gate.shut();
  const before = one.gaps;
  await until('it was told twice', () => one.gaps >= before + 2);
  const joined = one.fanOut.join('new').then(() => 'at once');
  expect(await Promise.race([joined, tick('a turn of the event loop later')])).toBe('at once');
  one.fanOut.publish('new', 'into the void');
});

test('when Redis is back, keys joined before and meanwhile are heard, after one more reading', async () => {
  const [one, other] = [await side(), await side()];
  await other.fanOut.join('before');
  await gate.shut();
  await until('it was told', () => other.gaps > 1);
  await other.fanOut.join('meanwhile');
  await gate.open();
  await until('they are heard', () => {
    one.fanOut.publish('before', 'hello');
    one.fanOut.publish('meanwhile', 'hello');
    return ['before: hello', 'meanwhile: hello'].every((text) => other.heard.includes(text));
  });
  await until('the gaps have ended', async () => {
    const [gaps, begin] = [other.gaps, performance.now()];
    await until('two beats have passed', () => performance.now() - begin > 2 * TIMING.beatMs);
    return other.gaps === gaps;
  });
});

test('the beats are listened to last, so that nothing counts as complete before every key is heard', async () => {
  const one = await side();
  const keys = Array.from({ length: FAN_OUT_KEYS_PER_COMMAND + 1 }, (_, nth) => `room ${nth}`);
  await Promise.all(keys.map((key) => one.fanOut.join(key)));
  await gate.shut();
  const redis = await openRedis(testRedisUrl(), createLog('test', 'silent'));
  const monitor = await redis.monitor();
  for (const connection of [monitor, redis]) open.push({ close: () => connection.disconnect() });
  const subscribed: string[] = [];
  monitor.on('monitor', (_time, [command, ...channels]: string[]) => {
    if (command?.toLowerCase() === 'subscribe') subscribed.push(...channels.filter((name) => name.startsWith('test:')));
  });
  await gate.open();
  await until('all are subscribed to', () => subscribed.length > keys.length);
  expect(subscribed.at(-1)).toBe(`test:${redis.options.db}:beat`);
});

test('a Redis that is silent counts as gone, though its connections are open', async () => {
  const one = await side();
  gate.silence();
  const before = one.gaps;
  await until('it was told', () => one.gaps > before);
});

test('a newcomer does not wait for a silent Redis, and what it could have missed is a gap', async () => {
  const one = await side();
  gate.silence();
  const before = one.gaps;
  await one.fanOut.join('room');
  await until('it was told', () => one.gaps > before);
});

test('those who listen are told to read again when a message could not be published', async () => {
  const other = await side('test', testRedisUrl());
  const one = await side();
  await other.fanOut.join('room');
  const before = other.gaps;
  for (let nth = 0; nth <= FAN_OUT_PENDING_MAX + 1; nth++) one.fanOut.publish('room', `message ${nth}`);
  await until('it was told', () => other.gaps > before);
});

test('those who listen are told to read again while another process is cut off from Redis', async () => {
  const one = await side('test', testRedisUrl());
  const cutOff = await side();
  await heardEachOther([one, cutOff]);
  await gate.shut();
  // At every beat; a slow moment of the machine, now and then.
  const before = one.gaps;
  await until('it was told twice', () => one.gaps >= before + 2);
  await gate.open();
});

test('a process is missed that was cut off between its first message and its first beat', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const one = await side();
  for (let twice = 0; twice < 2; twice++) await heardEachOther([one], 'room');
  const before = one.gaps;
  const redis = await openRedis(testRedisUrl(), createLog('test', 'silent'));
  open.push({ close: () => redis.disconnect() });
  await redis.publish(`test:${redis.options.db}:key:room`, `${randomUUID()} hello`);
  await until('it was heard', () => one.heard.length > 0);
  await beatsPass([one], TIMING.silenceMs + TIMING.beatMs, 'room');
  expect(one.gaps).toBeGreaterThan(before);
});

test('everybody is told to read again now and then: a process that never reached Redis is missed by nobody', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const one = await side('test', throughGate(), { ...TIMING, readEveryMs: 1_000 });
  for (let twice = 0; twice < 2; twice++) await heardEachOther([one], 'room');
  const before = one.gaps;
  await beatsPass([one], 400, 'room'); // not before half of it
  expect(one.gaps).toBe(before);
  await beatsPass([one], 600, 'room');
  expect(one.gaps).toBeGreaterThan(before);
});

test('a process that ends says so, and nobody reads again because of it', async () => {
  vi.useFakeTimers({ toFake: ['performance'] }); // a machine that stalls must not make anybody silent
  const [one, other, witness] = [await side(), await side(), await side()];
  await heardEachOther([one, other, witness], 'room');
  await heardEachOther([one, other, witness], 'room'); // one that was slow to join has read again by now
  const before = one.gaps;
  const { gone } = await listenToBeats();
  other.fanOut.close();
  await until('it has said so', () => gone.size > 0);
  // One that is missed is a reason to read again at every beat.
  await beatsPass([one, witness], TIMING.silenceMs + TIMING.beatMs, 'room');
  expect(one.gaps).toBe(before);
});
