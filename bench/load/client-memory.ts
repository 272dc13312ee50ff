/** What an account keeps between its requests, as a browser would: where it was in a list, what it has written. */
import { REMEMBERED_MAX } from './limits.ts';
import type { Account } from './plan.ts';

export interface Client extends Account {
  /** The position of its last write; sent along, so that reads see it. */
  readAfter: string | undefined;
  /** What steps keep under this name for later steps; empty at first. */
  kept<T>(name: string): Bounded<T>;
}

/** Forgets the oldest past REMEMBERED_MAX. */
export interface Bounded<T> {
  readonly size: number;
  add(value: T): void;
  /** Takes the oldest out. */
  take(): T | undefined;
  at(index: number): T | undefined;
}

export function createClient(account: Account): Client {
  const lists = new Map<string, Bounded<unknown>>();
  return {
    ...account,
    readAfter: undefined,
    kept<T>(name: string) {
      const list = lists.get(name) ?? createBounded<unknown>();
      lists.set(name, list);
      return list as Bounded<T>;
    },
  };
}

function createBounded<T>(): Bounded<T> {
  const values: T[] = [];
  return {
    get size() {
      return values.length;
    },
    add(value) {
      values.push(value);
      if (values.length > REMEMBERED_MAX) values.shift();
    },
    take: () => values.shift(),
    at: (index) => values[index],
  };
}
