/**
 * What it is: at most n tasks run at once and at most m wait, and those who wait take turns by key.
 * What fails without it: whoever sends the most fills the queue, and everybody else is refused.
 * How it works: each key has a line of its own, and the lines are served in rotation. When the queue is full, the newest
 *   of the longest line makes room for a key that has less waiting. Some tasks wait in a lane of their own (`first`),
 *   which gets every other turn: what strangers send cannot fill it. Tasks that have waited for too long, or whose
 *   caller has gone, are not started. A task may take its place before it is ready, so that nothing is prepared for one
 *   that is refused; and a place may rest after each task, so that a full queue leaves others their share of a core.
 * What it costs: a scan of the lines for each task.
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
  /**
   * A place for a task that needs something else first, which would be done for nothing if the task were refused then.
   * Throws AppError `overloaded` when there is no room.
   */
  enter(turn: Turn): Place;
  readonly waiting: number;
}

/** Waits like a task, and makes room like one, from the beginning. */
export interface Place {
  /** Once. Rejects like `FairSemaphore.run`. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** In the end, whether or not there was a task for it. */
  leave(): void;
}

interface Waiter {
  readonly turn: Turn;
  readonly since: number;
  /** None yet, when the task needs something else first. */
  start?: () => void;
  refuse(): void;
}

type Lane = Map<string, Waiter[]>;

/** `restShare`: of the time that a task took, nothing takes its place afterwards. */
export function createFairSemaphore(
  what: string,
  limits: { atOnce: number; waiting: number; waitMs: number; restShare?: number },
): FairSemaphore {
  const lanes: { first: Lane; others: Lane } = { first: new Map(), others: new Map() };
  const { restShare = 0 } = limits;
  let active = 0;
  let isTurnOfFirst = true;

  function startNext(): void {
    while (active < limits.atOnce) {
      const waiter = takeNext();
      if (waiter === undefined) return;
      const isLate = performance.now() - waiter.since > limits.waitMs;
      if (isLate || waiter.turn.isGone?.() === true) waiter.refuse();
      else waiter.start?.();
    }
  }

  function takeNext(): Waiter | undefined {
    const order = isTurnOfFirst ? [lanes.first, lanes.others] : [lanes.others, lanes.first];
    for (const lane of order) {
      for (const [key, line] of lane) {
        const next = line.find(({ start }) => start !== undefined);
        if (next === undefined) continue;
        isTurnOfFirst = lane !== lanes.first;
        remove(lane, next);
        if (lane.delete(key)) lane.set(key, line); // behind the others
        return next;
      }
    }
    return undefined;
  }

  function makeRoom(lane: Lane, key: string): boolean {
    if (hasRoom(lane)) return true;
    dropGone(lane);
    if (hasRoom(lane)) return true;
    const longest = [...lane.values()].reduce((most, next) => (next.length > most.length ? next : most));
    const newest = longest.at(-1);
    if (newest === undefined || longest.length <= (lane.get(key)?.length ?? 0) + 1) return false;
    remove(lane, newest);
    newest.refuse();
    return true;
  }

  const hasRoom = (lane: Lane) => countIn(lane) < limits.waiting + limits.atOnce - active;

  function enter(turn: Turn): Place {
    const lane = turn.first === true ? lanes.first : lanes.others;
    if (!makeRoom(lane, turn.key)) throw overloaded(what);
    let isRefused = false;
    const waiter: Waiter = {
      turn,
      since: performance.now(),
      refuse() {
        isRefused = true;
      },
    };
    lane.set(turn.key, [...(lane.get(turn.key) ?? []), waiter]);
    return {
      run: (work) =>
        new Promise((resolve, reject) => {
          waiter.refuse = () => reject(overloaded(what));
          if (isRefused) return waiter.refuse();
          waiter.start = () => {
            active++;
            const startedAt = performance.now();
            const rest = () => setTimeout(endTurn, restShare * (performance.now() - startedAt));
            Promise.try(work).then(resolve, reject).finally(rest);
          };
          startNext();
        }),
      leave() {
        remove(lane, waiter);
        waiter.refuse();
      },
    };
  }

  function endTurn(): void {
    active--;
    startNext();
  }

  return {
    run: async (turn, work) => enter(turn).run(work),
    enter,
    get waiting() {
      return countIn(lanes.first) + countIn(lanes.others);
    },
  };
}

function remove(lane: Lane, waiter: Waiter): void {
  const { key } = waiter.turn;
  const line = lane.get(key) ?? [];
  const at = line.indexOf(waiter);
  if (at >= 0) line.splice(at, 1);
  if (line.length === 0) lane.delete(key);
}

function countIn(lane: Lane): number {
  let count = 0;
  for (const line of lane.values()) count += line.length;
  return count;
}

function dropGone(lane: Lane): void {
  for (const waiter of [...lane.values()].flat()) {
    if (waiter.turn.isGone?.() !== true) continue;
    remove(lane, waiter);
    waiter.refuse();
  }
}
