import getPort from 'get-port';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FAN_OUT_WAITING_MAX } from '../../src/limits.ts';
import { type FanOut, openFanOut } from '../../src/socket/fan-out.ts';
import { until } from '../database.ts';
import { createTcpGate, type TcpGate } from '../tcp-gate.ts';
import { testRedisUrl } from '../worker.ts';

interface TestProcess {
  readonly fanOut: FanOut;
  readonly heard: unknown[];
  gaps: number;
}

let gate: TcpGate;
let channel: string;
const opened: FanOut[] = [];
beforeEach(async () => {
  gate = await createTcpGate(new URL(testRedisUrl()), await getPort());
  channel = `test:${Math.random()}`;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ close }) => close()));
  await gate.shut();
});

async function openProcess(port?: number): Promise<TestProcess> {
  const url = new URL(testRedisUrl());
  if (port !== undefined) url.port = String(port);
  const redis = new Redis(url.href, { lazyConnect: true });
  const heard: unknown[] = [];
  const state = { heard, gaps: 0 };
  const fanOut = openFanOut({
    ...{ redis, channel },
    deliver: (key, message) => void heard.push([key, message]),
    onGap: () => {
      state.gaps++;
    },
  });
  opened.push(fanOut);
  return Object.assign(state, { fanOut });
}

async function openReady(port?: number): Promise<TestProcess> {
  const process = await openProcess(port);
  await until('it has subscribed', async () => {
    const other = new Redis(testRedisUrl());
    const [, count] = (await other.pubsub('NUMSUB', channel)) as [string, number];
    other.disconnect();
    return Number(count) >= opened.length;
  });
  return process;
}

test('a message is delivered here before publish returns, and in the other processes once and in order', async () => {
  const [here, there] = [await openReady(), await openReady()];
  for (let seq = 0; seq < 100; seq++) here.fanOut.publish('room', { seq });
  expect(here.heard).toHaveLength(100);
  await until('the others heard all', () => there.heard.length === 100);
  expect(there.heard).toEqual(Array.from({ length: 100 }, (_, seq) => ['room', { seq }]));
  there.fanOut.publish('room', { seq: 100 });
  await until('it came back', () => here.heard.length === 101);
  expect(there.heard).toHaveLength(101);
});

test('while Redis is away the own clients are served, and the handler catches up until it is back', async () => {
  const [here, there] = [await openReady(gate.port), await openReady()];
  await gate.shut();
  await until('it was noticed', () => here.gaps > 2);
  here.fanOut.publish('room', { seq: 1 });
  expect(here.heard).toEqual([['room', { seq: 1 }]]);
  expect(there.heard).toEqual([]);
  await gate.open();
  there.gaps = 0;
  await until('the others know that they missed something, or have it', () => there.gaps + there.heard.length > 0);
  await until('what is published now arrives', () => {
    there.fanOut.publish('room', { seq: 2 });
    return here.heard.length > 1;
  });
  const gapsWhenBack = here.gaps;
  here.fanOut.publish('room', { seq: 3 });
  await until('in both directions', () => there.heard.some((heard) => JSON.stringify(heard).includes('"seq":3')));
  expect(here.gaps - gapsWhenBack).toBeLessThanOrEqual(1);
});

test('a Redis that is connected but does not answer counts as away, and is connected to again', async () => {
  const here = await openReady(gate.port);
  here.gaps = 0;
  gate.silence();
  await until('it was noticed', () => here.gaps > 0);
  const there = await openProcess();
  await until('messages arrive again', () => {
    there.fanOut.publish('room', { again: true });
    return here.heard.length > 0;
  });
});

test('more messages than may wait are a gap for the others, not memory', async () => {
  const [here, there] = [await openReady(), await openReady()];
  here.fanOut.publish('room', { seq: 0 });
  await until('the first is there', () => there.heard.length === 1);
  there.gaps = 0;
  const messages = FAN_OUT_WAITING_MAX * 2;
  for (let seq = 1; seq <= messages; seq++) here.fanOut.publish('room', { seq });
  expect(here.heard).toHaveLength(messages + 1);
  await until('the others know', () => there.gaps > 0);
  expect(there.heard.length).toBeLessThan(messages);
});

test('a message that this release does not understand is a gap', async () => {
  const here = await openReady();
  here.gaps = 0;
  const foreign = new Redis(testRedisUrl());
  await foreign.publish(channel, 'not json');
  await foreign.publish(channel, '{"from":"a later release"}');
  foreign.disconnect();
  await until('the handler catches up', () => here.gaps === 2);
});

test('a process that starts while Redis is away serves its own clients', async () => {
  await gate.shut();
  const here = await openProcess(gate.port);
  here.fanOut.publish('room', { seq: 1 });
  expect(here.heard).toEqual([['room', { seq: 1 }]]);
  await gate.open();
  const there = await openReady();
  await until('it hears the others', () => {
    there.fanOut.publish('room', { seq: 2 });
    return here.heard.length > 1;
  });
});
