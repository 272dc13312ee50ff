import { expect, onTestFinished, test, vi } from 'vitest';
import { createFairSemaphore } from '../../src/flow/fair-semaphore.ts';

const LIMITS = { atOnce: 1, waiting: 4, waitMs: 1_000 };

test('those who wait take turns by key, however many one of them sent', async () => {
  const { queue, order, release } = occupied();
  const all = ['a', 'a', 'a', 'b'].map((key) => queue.run({ key }, async () => void order.push(key)));
  release();
  await Promise.all(all);
  expect(order).toEqual(['a', 'b', 'a', 'a']);
});

test('a full queue makes room for a key that has less waiting: the newest of the longest line is refused', async () => {
  const { queue, order, release } = occupied();
  const greedy = [1, 2, 3, 4].map((n) => queue.run({ key: 'greedy' }, async () => void order.push(`greedy ${n}`)));
  const outcomes = Promise.allSettled(greedy);
  const modest = queue.run({ key: 'modest' }, async () => void order.push('modest'));
  await expect(queue.run({ key: 'greedy' }, async () => undefined)).rejects.toMatchObject({ code: 'overloaded' });
  expect(queue.waiting).toBe(LIMITS.waiting);
  release();
  await modest;
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
  expect(order).toEqual(['greedy 1', 'modest', 'greedy 2', 'greedy 3']);
});

test('a full queue of many keys refuses the next one', async () => {
  const { queue, release } = occupied();
  const waiting = ['a', 'b', 'c', 'd'].map((key) => queue.run({ key }, async () => key));
  await expect(queue.run({ key: 'e' }, async () => 'e')).rejects.toMatchObject({ code: 'overloaded' });
  release();
  expect(await Promise.all(waiting)).toEqual(['a', 'b', 'c', 'd']);
});

test('the first lane has room of its own and gets every other turn', async () => {
  const { queue, order, release } = occupied();
  const others = ['a', 'b', 'c', 'd'].map((key) => queue.run({ key }, async () => void order.push(key)));
  const first = ['A', 'B'].map((key) => queue.run({ key, first: true }, async () => void order.push(key)));
  release();
  await Promise.all([...others, ...first]);
  expect(order).toEqual(['A', 'a', 'B', 'b', 'c', 'd']);
});

test('a task whose caller has gone, or that waited for too long, is not started', async () => {
  const { queue, order, release } = occupied();
  let isGone = false;
  const gone = queue.run({ key: 'a', isGone: () => isGone }, async () => void order.push('gone'));
  const late = queue.run({ key: 'b' }, async () => void order.push('late'));
  isGone = true;
  const later = performance.now() + LIMITS.waitMs + 1;
  vi.spyOn(performance, 'now').mockImplementation(() => later);
  release();
  expect((await Promise.allSettled([gone, late])).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  vi.restoreAllMocks();
  expect(order).toEqual([]);
});

test('those who have gone make room at once', async () => {
  const { queue, release } = occupied();
  const gone = [1, 2, 3, 4].map((n) => queue.run({ key: `${n}`, isGone: () => true }, async () => n));
  const outcomes = Promise.allSettled(gone);
  const here = queue.run({ key: 'here' }, async () => 'here');
  release();
  expect(await here).toBe('here');
  expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true);
});

test('a task that throws at once fails by itself, and gives its place to the next', async () => {
  const { queue, release } = occupied();
  const throwing = queue.run({ key: 'a' }, () => {
    throw new Error('at once');
  });
  const next = queue.run({ key: 'b' }, async () => 'next');
  release();
  await expect(throwing).rejects.toThrow('at once');
  expect(await next).toBe('next');
});

test('a task that fails gives its place to the next', async () => {
  const queue = createFairSemaphore('tasks', LIMITS);
  await expect(queue.run({ key: 'a' }, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await queue.run({ key: 'a' }, async () => 'next')).toBe('next');
});

test('a place that was taken early counts as waiting, and its task has the turn of that moment', async () => {
  const { queue, order, release } = occupied();
  const early = queue.enter({ key: 'early' });
  const others = ['a', 'b', 'c'].map((key) => queue.run({ key }, async () => void order.push(key)));
  expect(queue.waiting).toBe(LIMITS.waiting);
  expect(() => queue.enter({ key: 'd' })).toThrow(expect.objectContaining({ code: 'overloaded' }));
  const first = early.run(async () => void order.push('early'));
  release();
  await Promise.all([first, ...others]);
  expect(order).toEqual(['early', 'a', 'b', 'c']);
});

test('nobody waits for a task that is not ready yet', async () => {
  const queue = createFairSemaphore('tasks', LIMITS);
  const slow = queue.enter({ key: 'a' });
  expect(await queue.run({ key: 'a' }, async () => 'its next')).toBe('its next');
  expect(await queue.run({ key: 'b' }, async () => 'another')).toBe('another');
  expect(await slow.run(async () => 'now')).toBe('now');
});

test('places that one key took early make room like its tasks: the task is refused when it comes', async () => {
  const queue = createFairSemaphore('tasks', { ...LIMITS, atOnce: 1, waiting: 3 });
  const greedy = [1, 2, 3, 4].map(() => queue.enter({ key: 'greedy' }));
  expect(() => queue.enter({ key: 'greedy' })).toThrow(expect.objectContaining({ code: 'overloaded' }));
  const work = vi.fn(async () => undefined);
  expect(await queue.run({ key: 'modest' }, async () => 'served')).toBe('served');
  await expect(greedy[3]?.run(work)).rejects.toMatchObject({ code: 'overloaded' });
  expect(work).not.toHaveBeenCalled();
  for (const place of greedy.slice(0, 3)) expect(await place.run(async () => 'served')).toBe('served');
});

test('a place that is left is free, and so is one whose task has run', async () => {
  const { queue, release } = occupied();
  const left = [1, 2, 3, 4].map((n) => queue.enter({ key: `${n}` }));
  for (const place of left) place.leave();
  expect(queue.waiting).toBe(0);
  release();
  const place = queue.enter({ key: 'a' });
  expect(await place.run(async () => 'done')).toBe('done');
  place.leave();
  expect(queue.waiting).toBe(0);
});

test('after a task its place rests for a share of the time that the task took', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const queue = createFairSemaphore('tasks', { ...LIMITS, restShare: 0.25 });
  const took = (ms: number) => () => new Promise<void>((resolve) => void setTimeout(resolve, ms));
  const next = vi.fn(async () => undefined);
  const first = queue.run({ key: 'a' }, took(20));
  void queue.run({ key: 'a' }, next);
  await vi.advanceTimersByTimeAsync(20);
  await first; // has its answer at once
  await vi.advanceTimersByTimeAsync(4);
  expect(next).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(next).toHaveBeenCalled();
});

/** A queue whose only place is taken until `release`. */
function occupied() {
  const gate = Promise.withResolvers<void>();
  const queue = createFairSemaphore('tasks', LIMITS);
  void queue.run({ key: 'occupant' }, () => gate.promise);
  return { queue, order: [] as string[], release: gate.resolve };
}
