/**
 * What it is: writes that come while one of their group is under way wait for it, and then go together in one.
 * What fails without it: everybody who answers the same campaign waits for its counters, one commit after the other.
 * How it works: the first write goes at once, alone. There is no timer, so who is alone waits for nobody; the busier the
 *   database, the more go together, and the less each costs. One batch of a group is under way at a time, because its
 *   writes would only wait for each other's locks; groups take turns.
 *   A batch fails as a whole, except over the fault of one of its writes: then each goes alone, and only that one fails.
 * What it costs: a write waits for at most the batches of its group that came before it. Its bound: `atOnce` batches of
 *   `items` writes and `waiting` more, named in limits.ts; the next one is refused at once.
 * Its proof: test/flow/group-commit.test.ts, bench/patterns/group-commit.
 */
import { overloaded } from '../errors.ts';

export interface GroupCommit<G, T, R> {
  /** Resolves once the batch with `item` is committed. Rejects with AppError `overloaded` when the line is full. */
  add(group: G, item: T): Promise<R>;
  readonly waiting: number;
}

export interface GroupCommitOptions<G, T, R> {
  /** For the refusal: too many `what` at once. */
  readonly what: string;
  readonly limits: { readonly atOnce: number; readonly items: number; readonly waiting: number };
  /** All of it or nothing. One result per item, in the same order; an Error turns down that one alone. */
  commit(group: G, items: readonly T[]): Promise<readonly (R | Error)[]>;
  /** Whether the batch failed over one of its items, and would without it succeed. */
  isFaultOfOne(error: unknown): boolean;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

export function createGroupCommit<G, T, R>(options: GroupCommitOptions<G, T, R>): GroupCommit<G, T, R> {
  const { what, limits, commit, isFaultOfOne } = options;
  /** Whose turn is next comes first. */
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
      // To the end: the others have their turn first.
      lines.delete(group);
      if (line.length > 0) lines.set(group, line);
      underWay.add(group);
      void settle(group, batch).then(() => {
        underWay.delete(group);
        startNext();
      });
    }
  }

  /** Never rejects: each failure goes to whom it belongs. */
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
