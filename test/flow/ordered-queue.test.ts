import { expect, test, vi } from 'vitest';
import { createOrderedQueue } from '../../src/flow/ordered-queue.ts';
import { until } from '../database.ts';

function createTrial(waitingMax = 10) {
  const begun: string[] = [];
  const done: string[] = [];
  const failures: [unknown, string][] = [];
  const steps = new Map<string, PromiseWithResolvers<void>>();
  const queue = createOrderedQueue<string>({
    waitingMax,
    async handle(item) {
      begun.push(item);
      const step = Promise.withResolvers<void>();
      steps.set(item, step);
      await step.promise;
      done.push(item);
    },
    failed: (error, item) => void failures.push([error, item]),
  });
  const stepOf = (item: string) => until(`${item} has begun`, () => steps.get(item));
  return { queue, begun, done, failures, stepOf };
}

test('one is handled at a time, in the order in which they came', async () => {
  const { queue, begun, done, stepOf } = createTrial();
  for (const item of ['a', 'b', 'c']) expect(queue.add(item)).toBe(true);
  for (const item of ['a', 'b', 'c']) {
    (await stepOf(item)).resolve();
    expect(begun.at(-1)).toBe(item);
  }
  await queue.finish();
  expect(done).toEqual(['a', 'b', 'c']);
});

test('the first failure is told once, and nothing behind it is handled, nor anything that comes later', async () => {
  const { queue, begun, failures, stepOf } = createTrial();
  for (const item of ['a', 'b', 'c']) queue.add(item);
  (await stepOf('a')).resolve();
  const fault = new Error('the database restarted');
  (await stepOf('b')).reject(fault);
  await queue.finish();
  expect(begun).toEqual(['a', 'b']);
  expect(failures).toEqual([[fault, 'b']]);
  expect(queue.add('d')).toBe(false);
  expect(queue.waiting).toBe(0);
});

test('a full queue takes nothing more, and goes on when there is room', async () => {
  const { queue, stepOf } = createTrial(2);
  expect(['under way', 'b', 'c', 'd'].map((item) => queue.add(item))).toEqual([true, true, true, false]);
  (await stepOf('under way')).resolve();
  await stepOf('b');
  expect(queue.add('e')).toBe(true);
});

test('an end drops what waits and lets the one under way complete', async () => {
  const { queue, begun, done, failures, stepOf } = createTrial();
  for (const item of ['a', 'b']) queue.add(item);
  queue.end();
  (await stepOf('a')).resolve();
  await queue.finish();
  expect([begun, done, failures]).toEqual([['a'], ['a'], []]);
});

test('to finish is to handle all that was taken, and to take no more', async () => {
  const { queue, done, stepOf } = createTrial();
  for (const item of ['a', 'b']) queue.add(item);
  const finished = vi.fn();
  const finishing = queue.finish().then(finished);
  expect(queue.add('c')).toBe(false);
  (await stepOf('a')).resolve();
  const last = await stepOf('b');
  expect(finished).not.toHaveBeenCalled();
  last.resolve();
  await finishing;
  expect(done).toEqual(['a', 'b']);
});
