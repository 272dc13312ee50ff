/**
 * What it is: writes that arrive while a batch of their group is being committed wait for it, then commit together.
 * What fails without it: writes that update the same counter queue for its lock, one commit at a time: with 200
 *   writers about a tenth of the throughput (bench/results/patterns.json).
 * How it works: the first write is committed at once, alone. There is no timer, so a lone write never waits; the busier
 *   the database, the larger the batches, and the cheaper each write. A group has one batch in flight at a time,
 *   because two would only wait for each other's locks; groups take turns.
 *   A batch fails as a whole, unless one bad write caused it: then each is committed alone, and only the bad one fails.
 * What it costs: a write waits at most for the earlier batches of its group. Its bound: `atOnce` batches of `items`
 *   writes and `waiting` more, named in limits.ts; further writes are refused at once.
 * Its proof: test/flow/group-commit.test.ts, bench/patterns/group-commit.
 */
import { overloaded } from '../errors.ts';

export interface GroupCommit<G, T, R> {
  /** Resolves once the batch with `item` is committed. Rejects with AppError `overloaded` when the queue is full. */
  add(group: G, item: T): Promise<R>;
  readonly waiting: number;
}

export interface GroupCommitOptions<G, T, R> {
  /** For the error message: too many `what` at once. */
  readonly what: string;
  readonly limits: { readonly atOnce: number; readonly items: number; readonly waiting: number };
  /** All or nothing. Returns one result per item, in the same order; an Error rejects that item only. */
  commit(group: G, items: readonly T[]): Promise<readonly (R | Error)[]>;
  /** Whether one item caused the batch to fail, so that the others would succeed without it. */
  isFaultOfOne(error: unknown): boolean;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

export function createGroupCommit<G, T, R>(options: GroupCommitOptions<G, T, R>): GroupCommit<G, T, R> {
  const { what, limits, commit, isFaultOfOne } = options;
  /** Ordered by turn: the next group comes first. */
  const lines = new Map<G, Waiting<T, R>[]>();
  const underWay = new Set<G>();
  let waiting = 0;

  // Async, so that a refusal is a rejection like any other.
  async function add(group: G, item: T): Promise<R> {
    if (waiting >= limits.waiting) throw overloaded(what);
    return new Promise((resolve, reject) => {
      const line = lines.get(group) ?? [];
      line.push({ item, resolve, reject });
      lines.set(group, line);
      waiting++;
      startNext();
    });
  }

  function startNext(): void {
    for (const [group, line] of lines) {
      if (underWay.size >= limits.atOnce) return;
      if (underWay.has(group)) continue;
      const batch = line.splice(0, limits.items);
      waiting -= batch.length;
      // To the end of the queue: the other groups go first.
      lines.delete(group);
      if (line.length > 0) lines.set(group, line);
      underWay.add(group);
      void settle(group, batch).then(() => {
        underWay.delete(group);
        startNext();
      });
    }
  }

  /** Never rejects: each failure goes to the caller that it belongs to. */
  async function settle(group: G, batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const items = batch.map(({ item }) => item);
      const results = await commit(group, items);
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index] as R | Error;
        if (result instanceof Error) reject(result);
        else resolve(result);
      }
    } catch (error) {
      if (batch.length > 1 && isFaultOfOne(error)) for (const one of batch) await settle(group, [one]);
      else for (const { reject } of batch) reject(error);
    }
  }

  return {
    add,
    get waiting() {
      return waiting;
    },
  };
}
