/**
 * What it is: keys with which programs call the API in a person's name, without that person's password or session.
 * What fails without it: scripts keep passwords, or a session that ends after two weeks and can do everything.
 * How it works: a key is shown once; the database has its SHA-256 (it is random, so a slow hash would add nothing) and
 *   its prefix, which tells keys apart. It has at most its user's role, and a scope that each route compares with its own.
 * What it costs: one query per key and SESSION_CACHE_MS, and one write per key and API_KEY_TOUCH_MS.
 * Its bound: SESSION_CACHE_ENTRIES_MAX. Its proof: test/http/api-keys.test.ts.
 */
import { randomBytes } from 'node:crypto';
import type { FastifyContextConfig } from 'fastify';
import { sql } from 'kysely';
import type { Database } from '../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../db/tenant-isolation.ts';
import { AppError } from '../errors.ts';
import { API_KEY_TOUCH_MS } from '../limits.ts';
import type { SignedIn } from './app.ts';
import { type IssuedTokens, TOKEN_CHARS } from './issued-tokens.ts';
import { createTokenLookup, hashOfToken } from './token-lookup.ts';

/** What a key may do: `write` includes `read`. */
export type KeyScope = 'read' | 'write';

export interface ApiKeys {
  /** A new one, and what is stored of it. */
  create(): { key: string; prefix: string; hash: Buffer };
  find(key: string): Promise<SignedIn | undefined>;
  /** As for sessions. */
  organisationOf(key: string): number | undefined;
  isIssued(key: string): boolean;
  /** After it was revoked: as for sessions. */
  forget(orgId: number, prefix: string): void;
  forgetUser(orgId: number, userId: number): void;
}

/** Named after the service, so that a key that leaked says where it belongs. */
const KEY_START = 'tardigrade_';
const ID_BYTES = 4;
export const API_KEY = `${KEY_START}[0-9a-f]{${ID_BYTES * 2}}_[\\w-]{${TOKEN_CHARS}}`;
const IS_API_KEY = new RegExp(`^${API_KEY}$`);

export function isApiKey(token: string): boolean {
  return IS_API_KEY.test(token);
}

export function createApiKeys(
  database: Pick<Database, 'primary'>,
  { issue, isIssued }: IssuedTokens,
  tell: (orgId: number) => void = () => undefined,
): ApiKeys {
  const db = () => database.primary(EVERY_ORGANISATION);

  /** Only the row says which organisation it belongs to. From the primary: a replica may not know that it was revoked. */
  async function read(hash: Buffer): Promise<SignedIn | undefined> {
    const row = await db()
      .selectFrom('api_keys')
      .innerJoin('users', (join) =>
        join.onRef('users.org_id', '=', 'api_keys.org_id').onRef('users.id', '=', 'api_keys.user_id'),
      )
      .where('api_keys.key_hash', '=', hash)
      .where((q) => q.or([q('api_keys.expires_at', 'is', null), q('api_keys.expires_at', '>', sql<string>`now()`)]))
      .select(['users.org_id', 'users.id', 'users.role', 'api_keys.prefix', 'api_keys.scope', 'api_keys.last_used_at'])
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.last_used_at === null || Date.parse(row.last_used_at) < Date.now() - API_KEY_TOUCH_MS) void touch(hash);
    return { orgId: row.org_id, userId: row.id, role: row.role, apiKey: { prefix: row.prefix, scope: row.scope } };
  }

  /** Nobody waits for it, and a request does not fail with it. */
  async function touch(hash: Buffer): Promise<void> {
    await db()
      .updateTable('api_keys')
      .set({ last_used_at: sql`now()` })
      .where('key_hash', '=', hash)
      .execute()
      .catch(() => undefined);
  }

  const lookup = createTokenLookup(read);
  return {
    create() {
      const prefix = `${KEY_START}${randomBytes(ID_BYTES).toString('hex')}`;
      const key = issue(`${prefix}_`);
      return { key, prefix, hash: hashOfToken(key) };
    },
    find: lookup.find,
    organisationOf: lookup.organisationOf,
    isIssued,
    forget(orgId, prefix) {
      lookup.forget((user) => user.orgId === orgId && user.apiKey?.prefix === prefix);
      tell(orgId);
    },
    forgetUser(orgId, userId) {
      lookup.forget((user) => user.orgId === orgId && user.userId === userId);
      tell(orgId);
    },
  };
}

/** What a route asks of a key: what it declares, or else what its method says. `none`: only people may. */
export function scopeOf(method: string, { scope, operator }: FastifyContextConfig): KeyScope | 'none' {
  if (operator === true) return 'none';
  return scope ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'write');
}

/** Throws `forbidden`. */
export function refuseScope(key: { readonly scope: KeyScope }, needed: KeyScope | 'none'): void {
  if (needed === 'none')
    throw new AppError('forbidden', 'An API key cannot do this: sign in as a person, with POST /api/v1/sessions.');
  if (needed === 'write' && key.scope === 'read')
    throw new AppError('forbidden', 'This needs a key with the scope write; this one has the scope read.');
}
