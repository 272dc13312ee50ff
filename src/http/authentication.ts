import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Database } from '../db/read-write-split.ts';
import type { Db } from '../db/schema.ts';
import { EVERY_ORGANISATION } from '../db/tenant-isolation.ts';
import { AppError } from '../errors.ts';
import {
  DEVICE_CHARS_MAX,
  KNOWN_SESSION_MS,
  REQUESTS_OF_ORGANISATION,
  SESSION_CACHE_ENTRIES_MAX,
  SESSION_MS,
  SESSION_TOUCH_MS,
  UNKNOWN_SESSIONS_PER_MINUTE_MAX,
} from '../limits.ts';
import { API_KEY, type ApiKeys, isApiKey, refuseScope, scopeOf } from './api-keys.ts';
import type { App, SignedIn } from './app.ts';
import { openSessions, refuseLowerRole, writeWhileSignedIn } from './current-access.ts';
import { type IssuedTokens, TOKEN_CHARS } from './issued-tokens.ts';
import { refuseOthers } from './operators.ts';
import type { CreateRateLimit } from './rate-limit.ts';
import { createLastWrites } from './read-own-writes.ts';
import { createTokenLookup, hashOfToken } from './token-lookup.ts';

export interface Sessions {
  /** Creates a session in the caller's transaction and returns its token. Only the token's hash is stored. */
  create(transaction: Db, user: NewSession): Promise<string>;
  /** Reads from the primary: on a lagging replica a session would outlive its end. */
  find(token: string): Promise<SignedIn | undefined>;
  end(transaction: Db, token: string): Promise<void>;
  /**
   * After sessions of the user were ended, or the role was changed: this process asks the database again, and those that
   * hold sockets are told.
   */
  forgetUser(orgId: number, userId: number): void;
  /** Whose token it was at some time within KNOWN_SESSION_MS. Grants nothing: for who goes first when places are scarce. */
  organisationOf(token: string): number | undefined;
  /** We made it, though it may have ended since. Grants nothing. */
  isIssued(token: string): boolean;
}

export interface NewSession {
  readonly orgId: number;
  readonly userId: number;
  /** What the client says that it is (User-Agent), and where it is: for the person's list of sessions. */
  readonly device?: string | undefined;
  readonly network?: string | undefined;
}

/** Named after the service: browsers keep one jar for all services of a host, whatever their ports. */
export const SESSION_COOKIE = 'tardigrade_session';

export function createSessions(
  database: Pick<Database, 'primary'>,
  { issue, isIssued }: IssuedTokens,
  tell: (orgId: number) => void = () => undefined,
): Sessions {
  const db = () => database.primary(EVERY_ORGANISATION);

  async function read(hash: Buffer): Promise<SignedIn | undefined> {
    // Only the row says which organisation it belongs to: this is the one read of a signed-in request without a tenant.
    const row = await openSessions(db())
      .where('sessions.token_hash', '=', hash)
      .select([
        'users.org_id',
        'users.id',
        'users.role',
        'users.email',
        'sessions.id as session_id',
        'sessions.last_used_at',
      ])
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (Date.parse(row.last_used_at) < Date.now() - SESSION_TOUCH_MS) void touch(hash);
    return { orgId: row.org_id, userId: row.id, role: row.role, sessionId: row.session_id, address: row.email };
  }

  /** Nobody waits for it, and a request does not fail with it. */
  async function touch(hash: Buffer): Promise<void> {
    await db()
      .updateTable('sessions')
      .set({ last_used_at: sql`now()` })
      .where('token_hash', '=', hash)
      .execute()
      .catch(() => undefined);
  }

  const lookup = createTokenLookup(read);
  return {
    async create(transaction, { orgId, userId, device = '', network = '' }) {
      const token = issue();
      await transaction
        .insertInto('sessions')
        .values({
          token_hash: hashOfToken(token),
          org_id: orgId,
          user_id: userId,
          device: device.slice(0, DEVICE_CHARS_MAX),
          network,
          expires_at: new Date(Date.now() + SESSION_MS),
        })
        .execute();
      return token;
    },
    find: lookup.find,
    async end(transaction, token) {
      await transaction.deleteFrom('sessions').where('token_hash', '=', hashOfToken(token)).execute();
    },
    forgetUser(orgId, userId) {
      lookup.forget((user) => user.orgId === orgId && user.userId === userId);
      tell(orgId);
    },
    organisationOf: lookup.organisationOf,
    isIssued,
  };
}

/** What authenticates a request: a session, or an API key. */
export interface Credentials {
  readonly sessions: Sessions;
  readonly apiKeys: ApiKeys;
}

/** Told without asking the database. */
export function organisationOf({ sessions, apiKeys }: Credentials, token: string): number | undefined {
  return isApiKey(token) ? apiKeys.organisationOf(token) : sessions.organisationOf(token);
}

interface GuardParts {
  readonly createRateLimit: CreateRateLimit;
  readonly requestsPerMinute: number;
  /** The addresses of those who run the platform. */
  readonly operators: readonly string[];
}

/** Guards every route of `api`: the user is signed in, may do what the route does, and changes come from our own pages. */
export function authenticate(
  api: App,
  credentials: Credentials,
  { createRateLimit, requestsPerMinute, operators }: GuardParts,
): void {
  api.decorateRequest('user', null as unknown as SignedIn);
  const lastWrites = createLastWrites();
  const requests = createRateLimit('requests', requestsPerMinute);
  const ofOrganisation = createRateLimit('requests of the organisation', requestsPerMinute * REQUESTS_OF_ORGANISATION);
  const unknown = createRateLimit('unknown sessions', UNKNOWN_SESSIONS_PER_MINUTE_MAX);

  /** Of those that we issued: they never begin again. */
  const ended = new LRUCache<string, true>({ max: SESSION_CACHE_ENTRIES_MAX, ttl: KNOWN_SESSION_MS });

  /**
   * Each token that nobody knows costs a query. Those that are made up count for their network. One of ours is always
   * looked up, whatever the neighbours send, and only once when it has ended.
   */
  async function find(token: string, { network }: FastifyRequest, reply: FastifyReply): Promise<SignedIn | undefined> {
    const { find, isIssued } = isApiKey(token) ? credentials.apiKeys : credentials.sessions;
    if (organisationOf(credentials, token) !== undefined) return find(token);
    if (isIssued(token)) {
      const key = hashOfToken(token).toString('base64');
      if (ended.has(key)) return undefined;
      const user = await find(token);
      if (user === undefined) ended.set(key, true);
      return user;
    }
    unknown.refuseUsedUp(network, reply);
    const user = await find(token);
    if (user === undefined) await unknown.count(network, reply);
    return user;
  }

  api.addHook('onRequest', async (request, reply) => {
    const { public: open, role, operator } = request.routeOptions.config;
    if (request.method !== 'GET' && request.method !== 'HEAD') refuseOtherSites(request.headers);
    if (open === true) return;
    const token = tokenOf(request);
    const user = token === undefined ? undefined : await find(token, request, reply);
    if (user === undefined) throw new AppError('unauthenticated', 'Sign in first: POST /api/v1/sessions.');
    api.recognise(request.raw, user.orgId);
    // Each key has a budget of its own: a script in a loop does not take its user's away.
    await requests.count(`${user.orgId}/${user.apiKey?.prefix ?? user.userId}`, reply);
    await ofOrganisation.count(String(user.orgId), reply);
    const scope = scopeOf(request.method, request.routeOptions.config);
    if (user.apiKey !== undefined) refuseScope(user.apiKey, scope);
    if (operator === true) refuseOthers(user, operators);
    refuseLowerRole(user.role, role);
    request.user = user;
    const db = lastWrites.enter(user, request.caller);
    const forget = () => credentials.sessions.forgetUser(user.orgId, user.userId);
    request.db = scope === 'none' ? writeWhileSignedIn(db, user, role, forget) : db;
  });
  api.addHook('onSend', ({ user, caller }, _reply, _payload, done) => {
    if (user !== null) lastWrites.leave(user, caller);
    done();
  });
}

/**
 * `Authorization: Bearer …` (in any case, RFC 9110 11.1) for programs, the cookie for browsers. A request with a token that
 * was cut off is nobody's, and not that of the cookie beside it. Another scheme, or a JWT, comes from a proxy in front.
 */
export function tokenOf({ headers }: { headers: IncomingHttpHeaders }): string | undefined {
  const { authorization = '', cookie = '' } = headers;
  return IS_FOR_US.test(authorization) ? BEARER.exec(authorization)?.[1] : COOKIE.exec(cookie)?.[1];
}

const IS_FOR_US = /^bearer(?:\s[^.]*)?$/i; // our tokens have no dots
const BEARER = new RegExp(`^[Bb][Ee][Aa][Rr][Ee][Rr] +([\\w-]{${TOKEN_CHARS}}|${API_KEY})$`);
const COOKIE = new RegExp(`(?:^|; ?)${SESSION_COOKIE}=([\\w-]{${TOKEN_CHARS}})(?:;|$)`);

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
