import { hash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Database } from '../db/read-write-split.ts';
import type { Db, Role } from '../db/schema.ts';
import { EVERY_ORGANISATION } from '../db/tenant-isolation.ts';
import { AppError } from '../errors.ts';
import { createSingleFlight } from '../flow/single-flight.ts';
import {
  KNOWN_SESSION_MS,
  SESSION_CACHE_ENTRIES_MAX,
  SESSION_CACHE_MS,
  SESSION_MS,
  UNKNOWN_SESSIONS_PER_MINUTE_MAX,
} from '../limits.ts';
import type { App, SignedIn } from './app.ts';
import { createRateLimit } from './rate-limit.ts';
import { createLastWrites } from './read-own-writes.ts';

export interface Sessions {
  /** Creates a session in the caller's transaction and returns its token. Only the token's hash is stored. */
  create(transaction: Db, user: { orgId: number; userId: number }): Promise<string>;
  /** Reads from the primary: on a lagging replica a session would outlive its end. */
  find(token: string): Promise<SignedIn | undefined>;
  end(transaction: Db, token: string): Promise<void>;
  /** Whether the token was valid at some time within KNOWN_SESSION_MS. Grants nothing: for who goes first when places are scarce. */
  isKnown(token: string): boolean;
}

/** Named after the service: browsers keep one jar for all services of a host, whatever their ports. */
export const SESSION_COOKIE = 'tardigrade_session';
const TOKEN_BYTES = 32;
const ROLE_RANK: Record<Role, number> = { viewer: 0, admin: 1, owner: 2 };

export function createSessions(database: Pick<Database, 'primary'>): Sessions {
  const cache = new LRUCache<string, SignedIn>({ max: SESSION_CACHE_ENTRIES_MAX, ttl: SESSION_CACHE_MS });
  const known = new LRUCache<string, true>({ max: SESSION_CACHE_ENTRIES_MAX, ttl: KNOWN_SESSION_MS });
  const asking = createSingleFlight<SignedIn | undefined>();

  async function read(key: string, hash: Buffer): Promise<SignedIn | undefined> {
    // Only the row says which organisation it belongs to: this is the one read of a signed-in request without a tenant.
    const row = await database
      .primary(EVERY_ORGANISATION)
      .selectFrom('sessions')
      .innerJoin('users', (join) =>
        join.onRef('users.org_id', '=', 'sessions.org_id').onRef('users.id', '=', 'sessions.user_id'),
      )
      .where('sessions.token_hash', '=', hash)
      .where('sessions.expires_at', '>', sql<string>`now()`)
      .select(['users.org_id', 'users.id', 'users.role'])
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const signedIn = { orgId: row.org_id, userId: row.id, role: row.role };
    cache.set(key, signedIn);
    known.set(key, true);
    return signedIn;
  }

  return {
    async create(transaction, { orgId, userId }) {
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      await transaction
        .insertInto('sessions')
        .values({
          token_hash: hashOf(token),
          org_id: orgId,
          user_id: userId,
          expires_at: new Date(Date.now() + SESSION_MS),
        })
        .execute();
      return token;
    },
    async find(token) {
      const hash = hashOf(token);
      const key = hash.toString('base64');
      return cache.get(key) ?? asking(key, () => read(key, hash));
    },
    async end(transaction, token) {
      const hash = hashOf(token);
      cache.delete(hash.toString('base64'));
      known.delete(hash.toString('base64'));
      await transaction.deleteFrom('sessions').where('token_hash', '=', hash).execute();
    },
    isKnown: (token) => known.has(hashOf(token).toString('base64')),
  };
}

/** Guards every route of `api`: the user is signed in, has the route's role, and changes come from our own pages. */
export function authenticate(api: App, sessions: Sessions, requestsPerMinute: number): void {
  api.decorateRequest('user', null as unknown as SignedIn);
  const lastWrites = createLastWrites();
  const requests = createRateLimit('requests', requestsPerMinute);
  const unknown = createRateLimit('unknown sessions', UNKNOWN_SESSIONS_PER_MINUTE_MAX);

  /** Each token that nobody knows costs a query: a network has so many of them. */
  async function find(token: string, network: string): Promise<SignedIn | undefined> {
    if (sessions.isKnown(token)) return sessions.find(token);
    unknown.refuseUsedUp(network);
    const user = await sessions.find(token);
    if (user === undefined) unknown.count(network);
    return user;
  }

  api.addHook('onRequest', async (request, reply) => {
    const { public: open, role } = request.routeOptions.config;
    if (request.method !== 'GET' && request.method !== 'HEAD') refuseOtherSites(request.headers);
    if (open === true) return;
    const token = tokenOf(request);
    const user = token === undefined ? undefined : await find(token, request.network);
    if (user === undefined) throw new AppError('unauthenticated', 'Sign in first: POST /api/sessions.');
    api.recognise(request.raw);
    requests.count(`${user.orgId}/${user.userId}`, reply);
    if (role !== undefined && ROLE_RANK[user.role] < ROLE_RANK[role]) {
      throw new AppError('forbidden', `This needs the role ${role}; you are signed in as ${user.role}.`);
    }
    request.user = user;
    request.db = lastWrites.enter(user, request.caller);
  });
  api.addHook('onSend', async ({ user, caller }) => {
    if (user !== null) lastWrites.leave(user, caller);
  });
}

/** `Authorization: Bearer …` for programs, the cookie for browsers. */
export function tokenOf({ headers }: { headers: IncomingHttpHeaders }): string | undefined {
  const bearer = /^Bearer ([\w-]{43})$/.exec(headers.authorization ?? '')?.[1];
  return bearer ?? COOKIE.exec(headers.cookie ?? '')?.[1];
}

const COOKIE = new RegExp(`(?:^|; ?)${SESSION_COOKIE}=([\\w-]{43})(?:;|$)`);

/** A browser sends the cookie whichever site the request comes from, so only our own pages may change anything. */
function refuseOtherSites(headers: Record<string, string | string[] | undefined>): void {
  const site = headers['sec-fetch-site'];
  const { origin, host } = headers;
  const foreign =
    site !== undefined
      ? site !== 'same-origin' && site !== 'none'
      : typeof origin === 'string' && (!URL.canParse(origin) || new URL(origin).host !== host);
  if (foreign)
    throw new AppError(
      'forbidden',
      'This request came from another site, which is not allowed to change anything here.',
    );
}

function hashOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
