import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFairQueue } from '../../src/flow/fair-queue.ts';

/** Tasks that end when the test says so. */
function arrange(limits: { atOnce: number; perKey: number }) {
  const queue = createFairQueue(limits);
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (task: string) =>
    queue.run(task.slice(0, 1), () => {
      started.push(task);
      return new Promise<string>((resolve) => ends.set(task, () => resolve(task)));
    });
  const end = async (task: string) => {
    ends.get(task)?.();
    await tick();
  };
  return { queue, started, add, end };
}

test('never more than the limit run at once, and all run', async () => {
  const { queue, started, add, end } = arrange({ atOnce: 3, perKey: 2 });
  const all = Promise.all(['a1', 'a2', 'a3', 'b1', 'b2', 'c1', 'c2'].map(add));
  await tick();
  expect([queue.active, queue.waiting]).toEqual([3, 4]);
  for (let index = 0; index < 7; index++) {
    await end(started[index] as string);
    expect(queue.active).toBeLessThanOrEqual(3);
  }
  expect((await all).toSorted()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'c1', 'c2']);
  expect([queue.active, queue.waiting]).toEqual([0, 0]);
});

test('a free place goes to the next key, however many tasks another key has brought before', async () => {
  const { started, add, end } = arrange({ atOnce: 1, perKey: 1 });
  for (const task of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1']) void add(task);
  await tick();
  for (let index = 0; index < 6; index++) await end(started[index] as string);
  expect(started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'a4']);
});

test('alone a key has all places; while others wait it gets no more than its share', async () => {
  const { started, add, end } = arrange({ atOnce: 4, perKey: 3 });
  for (const task of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']) void add(task);
  await tick();
  expect(started).toEqual(['a1', 'a2', 'a3', 'a4']);
  for (const task of ['b1', 'b2']) void add(task);
  await end('a1');
  expect(started.at(-1)).toBe('b1'); // a has three of four
  await end('b1');
  expect(started.at(-1)).toBe('b2');
  await end('b2'); // nobody else waits: a may have the fourth place again
  expect(started.at(-1)).toBe('a5');
});

test('a task that waits can be withdrawn, one that has begun cannot', async () => {
  const { queue } = arrange({ atOnce: 1, perKey: 1 });
  const stop = new AbortController();
  const first = queue.run('a', async () => 'done', stop.signal);
  const hanging = Promise.withResolvers<string>();
  const begun = queue.run('a', () => hanging.promise, stop.signal);
  const waiting = queue.run('b', async () => 'never', stop.signal);
  expect(await first).toBe('done');
  await tick();
  stop.abort(new Error('stop'));
  await expect(waiting).rejects.toThrow('stop');
  hanging.resolve('to the end');
  expect(await begun).toBe('to the end');
  expect([queue.active, queue.waiting]).toEqual([0, 0]);
});

test('a task that fails frees its place', async () => {
  const { queue } = arrange({ atOnce: 1, perKey: 1 });
  await expect(queue.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await queue.run('a', async () => 'yes')).toBe('yes');
});
