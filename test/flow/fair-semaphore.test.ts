import { expect, test, vi } from 'vitest';
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

test('a task that fails gives its place to the next', async () => {
  const queue = createFairSemaphore('tasks', LIMITS);
  await expect(queue.run({ key: 'a' }, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await queue.run({ key: 'a' }, async () => 'next')).toBe('next');
});

/** A queue whose only place is taken until `release`. */
function occupied() {
  const gate = Promise.withResolvers<void>();
  const queue = createFairSemaphore('tasks', LIMITS);
  void queue.run({ key: 'occupant' }, () => gate.promise);
  return { queue, order: [] as string[], release: gate.resolve };
}
