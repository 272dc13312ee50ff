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
  queue.join('last', 'somebody', turn('a'));
  queue.join('last', 'somebody', turn('b'));
  queue.join('first', 'somebody', turn('c'));
  queue.join('first', 'somebody', turn('d'));
  while (queue.next());
  expect(seen).toEqual(['c', 'd', 'a', 'b']);
  expect(queue.waiting).toBe(0);
});

test('a line that is full takes nobody, and leaves the other lines alone', () => {
  const { seen, turn } = createLog();
  const queue = createPriorityQueue(WAITING_MAX, WAIT_MS);
  const joined = ['a', 'b', 'c'].map((name) => queue.join('first', 'somebody', turn(name)) !== false);
  expect(joined).toEqual([true, true, false]);
  expect(queue.join('last', 'somebody', turn('d'))).not.toBe(false);
  expect(seen).toEqual([]);
});

test('a caller that has waited for too long is refused, once, and takes nobody’s turn', () => {
  const { seen, turn } = createLog();
  const queue = createPriorityQueue(WAITING_MAX, WAIT_MS);
  queue.join('last', 'somebody', turn('a'));
  queue.join('first', 'somebody', turn('b'));
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
  const leave = queue.join('last', 'somebody', turn('a'));
  if (leave !== false) leave();
  expect(queue.next()).toBe(false);
  vi.advanceTimersByTime(WAIT_MS.last);
  expect(seen).toEqual([]);
});

test('within a class senders take turns, however many one of them sent', () => {
  const { seen, turn } = createLog();
  const queue = createPriorityQueue({ only: 5 }, { only: 1_000 });
  for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) queue.join('only', name[0] as string, turn(name));
  while (queue.next());
  expect(seen).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
});

test('a full line makes room for a sender who has less in it: the newest of the greediest is refused', () => {
  const { seen, turn } = createLog();
  const queue = createPriorityQueue({ only: 3 }, { only: 1_000 });
  for (const name of ['a1', 'a2', 'a3']) queue.join('only', 'a', turn(name));
  expect(queue.hasRoom('only', 'a')).toBe(false);
  expect(queue.join('only', 'a', turn('a4'))).toBe(false);
  expect(queue.hasRoom('only', 'b')).toBe(true);
  expect(queue.join('only', 'b', turn('b1'))).not.toBe(false);
  expect(queue.join('only', 'b', turn('b2'))).toBe(false); // it would have as many as the others
  expect(queue.waiting).toBe(3);
  while (queue.next());
  vi.advanceTimersByTime(1_000);
  expect(seen).toEqual(['not a3', 'a1', 'b1', 'a2']);
});

test('a refusal and a question for room take as long in a long line as in a short one', () => {
  const msOf = (senders: number) => {
    const queue = createPriorityQueue({ only: senders }, { only: 1_000 });
    const { turn } = createLog();
    for (let sender = 0; sender < senders; sender++) queue.join('only', `sender ${sender}`, turn(''));
    const newcomer = turn('');
    const rounds = Array.from({ length: 5 }, () => {
      const begun = performance.now();
      for (let n = 0; n < 200; n++) if (queue.hasRoom('only', 'a') || queue.join('only', 'a', newcomer)) throw Error();
      return performance.now() - begun;
    });
    return Math.min(...rounds);
  };
  vi.useRealTimers(); // for the clock
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  expect(msOf(20_000)).toBeLessThan(100 * msOf(20)); // walking through it would take 1,000 times as long
});
