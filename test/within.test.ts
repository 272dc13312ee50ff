import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { within } from '../src/within.ts';
import { holdTheLoop } from './hold-the-loop.ts';

const MINUTE_MS = 60_000;

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
  const { port1, port2 } = new MessageChannel();
  const answer = within(1, once(port1, 'message'));
  port2.postMessage('there already'); // it is read where sockets are, after the timers
  holdTheLoop(100);
  expect(await answer).toEqual(['there already']);
  port1.close();
});
