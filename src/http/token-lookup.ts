import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { createSingleFlight } from '../flow/single-flight.ts';
import { KNOWN_SESSION_MS, SESSION_CACHE_ENTRIES_MAX, SESSION_CACHE_MS } from '../limits.ts';

/** Whose token it is, remembered for SESSION_CACHE_MS; requests that ask at once share one query. */
export interface TokenLookup<T> {
  find(token: string): Promise<T | undefined>;
  /** Whose token it was at some time within KNOWN_SESSION_MS. Grants nothing: for who goes first when places are scarce. */
  organisationOf(token: string): number | undefined;
  /** The next request asks the database again: call it when the change is committed. */
  forget(matches: (holder: T) => boolean): void;
}

export function createTokenLookup<T extends { readonly orgId: number }>(
  read: (hash: Buffer) => Promise<T | undefined>,
): TokenLookup<T> {
  const cache = new LRUCache<string, T>({ max: SESSION_CACHE_ENTRIES_MAX, ttl: SESSION_CACHE_MS });
  const known = new LRUCache<string, number>({ max: SESSION_CACHE_ENTRIES_MAX, ttl: KNOWN_SESSION_MS });
  const asking = createSingleFlight<T | undefined>();
  /** How often something was forgotten: what was read before that may be what has to be forgotten. */
  let forgotten = 0;
  const hashed = { token: '', key: '' }; // the last one: a request asks about its token up to three times
  const keyOf = (token: string) => {
    if (hashed.token !== token) Object.assign(hashed, { token, key: hash('sha256', token, 'base64') });
    return hashed.key;
  };

  async function ask(key: string, bytes: Buffer): Promise<T | undefined> {
    const before = forgotten;
    const holder = await read(bytes);
    if (holder === undefined) {
      known.delete(key);
      return undefined;
    }
    if (forgotten === before) cache.set(key, holder);
    known.set(key, holder.orgId);
    return holder;
  }

  return {
    async find(token) {
      const key = keyOf(token);
      return cache.get(key) ?? asking(`${forgotten} ${key}`, () => ask(key, hashOfToken(token)));
    },
    organisationOf: (token) => known.get(keyOf(token)),
    forget(matches) {
      forgotten++;
      for (const [key, holder] of cache.entries()) if (matches(holder)) cache.delete(key);
    },
  };
}

export function hashOfToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
