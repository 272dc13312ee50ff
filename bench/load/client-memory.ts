/** What an account keeps between its requests, as a browser would: where it was in a list, what it has written. */
import { REMEMBERED_MAX } from './limits.ts';
import type { Account } from './plan.ts';

export interface Client extends Account {
  /** The position of its last write; sent along, so that reads see it. */
  readAfter: string | undefined;
  /** Lists in the middle of being walked. */
  readonly cursors: Bounded<{ list: string; cursor: string; after: number }>;
  readonly drafts: Bounded<{ id: number; name: string }>;
  readonly launched: Bounded<{ id: number }>;
  readonly scheduled: Bounded<{ id: number }>;
  readonly campaigns: Bounded<{ id: number }>;
  readonly conversations: Bounded<{ id: number }>;
  readonly announced: Bounded<{ id: number }>;
  readonly imports: Bounded<{ id: number }>;
  /** Tokens of extra sign-ins, to be signed out. */
  readonly tokens: Bounded<string>;
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
  return {
    ...account,
    readAfter: undefined,
    cursors: bounded(),
    drafts: bounded(),
    launched: bounded(),
    scheduled: bounded(),
    campaigns: bounded(),
    conversations: bounded(),
    announced: bounded(),
    imports: bounded(),
    tokens: bounded(),
  };
}

function bounded<T>(): Bounded<T> {
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
