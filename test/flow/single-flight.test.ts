import { expect, test } from 'vitest';
import { createSingleFlight } from '../../src/flow/single-flight.ts';

test('two hundred callers at the same time share one call', async () => {
  const ask = createSingleFlight<number>();
  const { promise, resolve } = Promise.withResolvers<number>();
  let asked = 0;
  const work = () => {
    asked++;
    return promise;
  };
  const answers = Array.from({ length: 200 }, () => ask('the same', work));
  resolve(7);
  expect(await Promise.all(answers)).toEqual(Array(200).fill(7));
  expect(asked).toBe(1);
});

test('other keys have calls of their own, and a later call runs again', async () => {
  const ask = createSingleFlight<string>();
  let asked = 0;
  const work = async () => `answer ${++asked}`;
  expect(await Promise.all([ask('a', work), ask('b', work)])).toEqual(['answer 1', 'answer 2']);
  expect(await ask('a', work)).toBe('answer 3');
});

test('a failure reaches all callers that shared the call, and no later one', async () => {
  const ask = createSingleFlight<string>();
  const failing = () => Promise.reject(new Error('down'));
  const both = await Promise.allSettled([ask('a', failing), ask('a', async () => 'never asked')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await ask('a', async () => 'up')).toBe('up');
});
