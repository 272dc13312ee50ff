import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPriorityQueue } from '../../src/flow/priority-queue.ts';

const WAITING_MAX = { first: 2, last: 3 };
const WAIT_MS = { first: 1_000, last: 100 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function createLog() {
  const seen: string[] = [];
  const turn = (name: string) => ({ go: () => void seen.push(name), refuse: () => void seen.push(`not ${name}`) });
  return { seen, turn };
}

test('the first class is served before the last, and each in the order of its coming', () => {
  const { seen, turn } = createLog();
  const queue = createPriorityQueue(WAITING_MAX, WAIT_MS);
  queue.join('last', turn('a'));
  queue.join('last', turn('b'));
  queue.join('first', turn('c'));
  queue.join('first', turn('d'));
  while (queue.next());
  expect(seen).toEqual(['c', 'd', 'a', 'b']);
  expect(queue.waiting).toBe(0);
});

test('a line that is full takes nobody, and leaves the other lines alone', () => {
  const { seen, turn } = createLog();
  const queue = createPriorityQueue(WAITING_MAX, WAIT_MS);
  const joined = ['a', 'b', 'c'].map((name) => queue.join('first', turn(name)) !== false);
  expect(joined).toEqual([true, true, false]);
  expect(queue.join('last', turn('d'))).not.toBe(false);
  expect(seen).toEqual([]);
});

test('a caller that has waited for too long is refused, once, and takes nobody’s turn', () => {
  const { seen, turn } = createLog();
  const queue = createPriorityQueue(WAITING_MAX, WAIT_MS);
  queue.join('last', turn('a'));
  queue.join('first', turn('b'));
  vi.advanceTimersByTime(WAIT_MS.last);
  expect(seen).toEqual(['not a']);
  expect(queue.next()).toBe(true);
  expect(queue.next()).toBe(false);
  vi.advanceTimersByTime(WAIT_MS.first);
  expect(seen).toEqual(['not a', 'b']);
});

test('a caller that leaves is neither called nor refused', () => {
  const { seen, turn } = createLog();
  const queue = createPriorityQueue(WAITING_MAX, WAIT_MS);
  const leave = queue.join('last', turn('a'));
  if (leave !== false) leave();
  expect(queue.next()).toBe(false);
  vi.advanceTimersByTime(WAIT_MS.last);
  expect(seen).toEqual([]);
});
