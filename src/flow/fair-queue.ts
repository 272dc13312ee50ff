/**
 * What it is: at most so many tasks at once, in turns between the keys that they belong to.
 * What fails without it: in a plain queue a key that brings thousands of tasks, or slow ones, is served to the end before
 *   another key's single task, and when all of its tasks hang, nobody else is served at all.
 * How it works: each key has a line of its own, and a free place goes to the next key in turn. While others wait, a key
 *   has at most `perKey` places, so that one whose tasks all hang leaves room; alone, it may have all of them.
 * What it costs: a map of lines. Its bound: `atOnce`, `perKey`; the caller limits how many wait.
 * Its proof: test/flow/fair-queue.test.ts, bench/patterns/fair-queue.
 */
export interface FairQueue {
  /** Rejects when `signal` aborts before it has begun; afterwards the signal changes nothing. */
  run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  readonly active: number;
  readonly waiting: number;
}

export function createFairQueue({ atOnce, perKey }: { atOnce: number; perKey: number }): FairQueue {
  /** Ordered by turn: the next key comes first. */
  const lines = new Map<string, (() => void)[]>();
  const activeOf = new Map<string, number>();
  let active = 0;
  let waiting = 0;

  function startNext(): void {
    while (active < atOnce) {
      const key = [...lines.keys()].find((one) => lines.size === 1 || (activeOf.get(one) ?? 0) < perKey);
      if (key === undefined) return;
      const line = lines.get(key) as (() => void)[];
      const start = line.shift() as () => void;
      // To the end of the queue: the other keys go first.
      lines.delete(key);
      if (line.length > 0) lines.set(key, line);
      waiting--;
      active++;
      activeOf.set(key, (activeOf.get(key) ?? 0) + 1);
      start();
    }
  }

  function end(key: string): void {
    active--;
    const left = (activeOf.get(key) ?? 1) - 1;
    if (left === 0) activeOf.delete(key);
    else activeOf.set(key, left);
    startNext();
  }

  function waitForTurn(key: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const start = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        const line = (lines.get(key) ?? []).filter((one) => one !== start);
        if (line.length > 0) lines.set(key, line);
        else lines.delete(key);
        waiting--;
        reject(signal?.reason);
        startNext(); // whoever is left may be alone now
      };
      lines.set(key, [...(lines.get(key) ?? []), start]);
      signal?.addEventListener('abort', leave, { once: true });
      waiting++;
      startNext();
    });
  }

  return {
    async run(key, work, signal) {
      await waitForTurn(key, signal);
      try {
        return await work();
      } finally {
        end(key);
      }
    },
    get active() {
      return active;
    },
    get waiting() {
      return waiting;
    },
  };
}
