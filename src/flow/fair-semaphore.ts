/**
 * What it is: at most n tasks run at once and at most m wait, and those who wait take turns by key.
 * What fails without it: whoever sends the most fills the queue, and everybody else is refused.
 * How it works: each key has a line of its own, and the lines are served in rotation. When the queue is full, the newest
 *   of the longest line makes room for a key that has less waiting. Some tasks wait in a lane of their own (`first`),
 *   which gets every other turn: what strangers send cannot fill it. Tasks that have waited for too long, or whose
 *   caller has gone, are not started.
 * What it costs: a scan of the lines when the queue is full.
 * Its bound: `atOnce`, `waiting` for each of the two lanes, `waitMs`, named in limits.ts.
 * Its proof: test/flow/fair-semaphore.test.ts.
 */
import { overloaded } from '../errors.ts';

/** Whose turn it is. */
export interface Turn {
  readonly key: string;
  readonly first?: boolean;
  readonly isGone?: () => boolean;
}

export interface FairSemaphore {
  /** Rejects with AppError `overloaded` when there is no room, or when the task has waited for too long. */
  run<T>(turn: Turn, work: () => Promise<T>): Promise<T>;
  readonly waiting: number;
}

interface Waiter {
  readonly turn: Turn;
  readonly since: number;
  start(): void;
  refuse(): void;
}

type Lane = Map<string, Waiter[]>;

export function createFairSemaphore(
  what: string,
  limits: { atOnce: number; waiting: number; waitMs: number },
): FairSemaphore {
  const lanes: { first: Lane; others: Lane } = { first: new Map(), others: new Map() };
  let active = 0;
  let isTurnOfFirst = true;

  function startNext(): void {
    while (active < limits.atOnce) {
      const waiter = takeNext();
      if (waiter === undefined) return;
      const isLate = performance.now() - waiter.since > limits.waitMs;
      if (isLate || waiter.turn.isGone?.() === true) waiter.refuse();
      else waiter.start();
    }
  }

  function takeNext(): Waiter | undefined {
    const order = isTurnOfFirst ? [lanes.first, lanes.others] : [lanes.others, lanes.first];
    const lane = order.find(({ size }) => size > 0);
    isTurnOfFirst = lane !== lanes.first;
    const [key, line] = lane?.entries().next().value ?? [];
    if (lane === undefined || key === undefined || line === undefined) return undefined;
    const waiter = line.shift();
    lane.delete(key);
    if (line.length > 0) lane.set(key, line); // behind the others
    return waiter;
  }

  function makeRoom(lane: Lane, key: string): boolean {
    if (countIn(lane) < limits.waiting) return true;
    dropGone(lane);
    if (countIn(lane) < limits.waiting) return true;
    const [greediest, line] = [...lane].reduce((longest, next) =>
      next[1].length > longest[1].length ? next : longest,
    );
    if (line.length <= (lane.get(key)?.length ?? 0) + 1) return false;
    line.pop()?.refuse();
    if (line.length === 0) lane.delete(greediest);
    return true;
  }

  return {
    run(turn, work) {
      return new Promise((resolve, reject) => {
        const lane = turn.first === true ? lanes.first : lanes.others;
        const refuse = () => reject(overloaded(what));
        if (active >= limits.atOnce && !makeRoom(lane, turn.key)) return refuse();
        const start = () => {
          active++;
          work()
            .then(resolve, reject)
            .finally(() => {
              active--;
              startNext();
            });
        };
        const line = lane.get(turn.key) ?? [];
        line.push({ turn, since: performance.now(), start, refuse });
        lane.set(turn.key, line);
        startNext();
      });
    },
    get waiting() {
      return countIn(lanes.first) + countIn(lanes.others);
    },
  };
}

function countIn(lane: Lane): number {
  let count = 0;
  for (const line of lane.values()) count += line.length;
  return count;
}

function dropGone(lane: Lane): void {
  for (const [key, line] of lane) {
    const here = line.filter(({ turn }) => turn.isGone?.() !== true);
    for (const waiter of line) if (!here.includes(waiter)) waiter.refuse();
    if (here.length === 0) lane.delete(key);
    else lane.set(key, here);
  }
}
