/**
 * What it is: a change is made only to the version that its author has seen.
 * What fails without it: two people edit the same thing, and the one who saves last silently undoes the other's work.
 * How it works: each row has a version number that each change increments. Answers carry it as the ETag, and a change
 *   sends it back as If-Match. A module says once, by path, how the tag of a thing is read and locked (`tagThing`); then
 *   every operation at or below that path looks at If-Match, also one that is added later. Its first write locks the
 *   row and compares before it does anything, in the same transaction: of two people who have seen the same version one
 *   wins. With an outdated version the answer is 412: the client must read the thing again and decide. A PUT or PATCH
 *   without If-Match is refused with 428; other methods may leave it out. As in RFC 9110, 13.1.1, a client that knows
 *   several versions sends a list, one that wants its change whatever there is sends `*`, a weak tag never matches, and
 *   a thing without a tag is matched by `*` alone: an If-Match of a change is never ignored. Nor is an If-None-Match,
 *   which asks for the opposite (13.1.2): with `*`, or a tag of what is there, a change is 412.
 * What it costs: one integer per row; with If-Match, one locking read by primary key. Its bound: ETAG_CHARS_MAX.
 * Its proof: test/http/optimistic-concurrency.test.ts, test/scenarios/matched-requests.test.ts (every operation of the
 *   OpenAPI document), bench/patterns/optimistic-concurrency.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import type { DatabaseSession } from '../db/read-write-split.ts';
import type { Db } from '../db/schema.ts';
import { AppError } from '../errors.ts';
import { ETAG_CHARS_MAX } from '../limits.ts';
import type { App } from './app.ts';
import { ENTITY_TAG, isAmong, withoutWeakness } from './entity-tags.ts';

export interface TaggedThing {
  /** Its ETag, in a transaction that everybody else who changes it waits for; undefined when it is not there. */
  lockTag(transaction: Db, orgId: number, id: number): Promise<string | undefined>;
  /** Whether nothing of an answer to GET changes without the tag: then If-None-Match can be answered with 304. */
  readonly coversAnswer?: boolean;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Gives the things at this path an ETag. Call it before adding their routes. */
    tagThing(path: `/${string}/:id`, thing: TaggedThing): void;
  }
  interface FastifyContextConfig {
    /** Set by `tagThing`. */
    thing?: TaggedThing;
    /**
     * It leads to a state, and asked for again it changes nothing and is answered as before: also with the ETag of before,
     * because that is what an impatient second click sends (RFC 9110, 13.1.1).
     */
    settles?: boolean;
  }
}

/** Of a version; or of the value itself, where that is all that can be changed. */
export function etagOf(version: number | string): string {
  return `"${version}"`;
}

/** For a table with `org_id`, `id` and `version`. */
export function versionOf(table: string): TaggedThing['lockTag'] {
  return async (transaction, orgId, id) => {
    const { rows } = await sql<{ version: number }>`
      select version from ${sql.table(table)} where org_id = ${orgId} and id = ${id} for no key update`.execute(
      transaction,
    );
    return rows[0] && etagOf(rows[0].version);
  };
}

/** Looks at If-Match and If-None-Match on all routes. Call it before adding them, and after the hooks that set `request.db`. */
export function checkPreconditions(api: App): void {
  const things = new Map<string, TaggedThing>();
  api.decorate('tagThing', (path, thing) => void things.set(path, thing));
  api.addHook('onRoute', (route) => {
    const [, path = ''] = /^(\/[^/]+\/:id)(?:\/|$)/.exec(route.routePath) ?? [];
    const thing = things.get(path);
    if (thing !== undefined) route.config = { ...route.config, thing };
  });
  api.addHook('preHandler', (request, _reply, done) => {
    if (!isSafe(request.method)) checkChange(request);
    done();
  });
  api.addHook('onSend', (request, reply, payload, done) => {
    const tag = reply.getHeader('etag');
    if (!isSafe(request.method) || reply.statusCode !== 200 || typeof tag !== 'string') return done(null, payload);
    done(null, isUnchanged(request, tag) ? sendUnchanged(reply) : payload);
  });
}

/** Whether a change of a thing with an ETag must say which version it was made from. */
export function mustMatch(method: string): boolean {
  return method === 'PUT' || method === 'PATCH';
}

/** The ETags that the caller accepts as the current one. */
export type Accepted = readonly string[] | 'any';

/** Throws `invalid` for what is not the value of such a header. Without the weak ones of an If-Match. */
export function tagsIn(name: 'If-Match' | 'If-None-Match', header: string): Accepted {
  if (header.trim() === '*') return 'any';
  if (header.length > ETAG_CHARS_MAX || !TAGS.test(header))
    throw new AppError(
      'invalid',
      `${name} is neither *, nor an ETag in double quotes, nor a list of these with commas between them, of up to ${ETAG_CHARS_MAX} characters.`,
    );
  const tags = header.match(ENTITY_TAG) ?? [];
  if (name === 'If-None-Match') return tags.map(withoutWeakness);
  // A weak tag says that two things are much the same, which is not enough to change one of them.
  return tags.filter((tag) => !tag.startsWith('W/'));
}

export interface Precondition {
  readonly accepted: Accepted;
  /** The ETags with which nothing is to be done. */
  readonly unwanted?: readonly string[];
  /** Locks it, too. Undefined: it is not there, which the work finds out by itself. */
  currentTag(transaction: Db): Promise<string | undefined>;
  readonly settles?: boolean;
}

/** Works in a transaction on what the caller has seen. Otherwise throws `changed_meanwhile`, and what was done is rolled back. */
export async function workOnSeen<D extends Db, T>(
  transaction: D,
  { accepted, unwanted = [], currentTag, settles = false }: Precondition,
  work: (transaction: D) => Promise<T>,
): Promise<T> {
  const tag = await currentTag(transaction);
  if (tag !== undefined && unwanted.includes(tag)) throw isThere();
  const isSeen = tag === undefined || accepted === 'any' || accepted.includes(tag);
  if (!isSeen && !settles) throw changedMeanwhile();
  const value = await work(transaction);
  if (!isSeen && (await currentTag(transaction)) !== tag) throw changedMeanwhile();
  return value;
}

function checkChange(request: FastifyRequest): void {
  const { method, headers, params, user, routeOptions } = request;
  const { thing, settles } = routeOptions.config;
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match === undefined && thing !== undefined && mustMatch(method))
    throw new AppError('precondition_required', 'Send If-Match with the ETag of the version that you are changing.');
  const accepted = match === undefined ? 'any' : tagsIn('If-Match', match);
  const unwanted = noneMatch === undefined ? [] : tagsIn('If-None-Match', noneMatch);
  if (unwanted === 'any') throw isThere();
  if (accepted !== 'any' && thing === undefined)
    throw new AppError('changed_meanwhile', 'This has no ETag, so no If-Match but * matches it. Leave it out.');
  // What is not there is answered with 404.
  if (thing === undefined || (accepted === 'any' && unwanted.length === 0)) return;
  const { id } = params as { id: number };
  request.db = checkFirstWrite(request.db, {
    ...{ accepted, unwanted },
    currentTag: (transaction) => thing.lockTag(transaction, user.orgId, id),
    ...(settles === undefined ? {} : { settles }),
  });
}

/** Later writes of the same request see what it has changed itself. */
function checkFirstWrite(session: DatabaseSession, precondition: Precondition): DatabaseSession {
  let isChecked = false;
  return {
    read: (query) => session.read(query),
    async write(work) {
      if (isChecked) return session.write(work);
      const value = await session.write((transaction) => workOnSeen(transaction, precondition, work));
      isChecked = true; // only now: a transaction that is rolled back is tried again
      return value;
    },
    position: session.position,
  };
}

/** Whether the caller of a GET has what it would be answered with. */
function isUnchanged({ headers, routeOptions }: FastifyRequest, tag: string): boolean {
  const header = headers['if-none-match'];
  if (header === undefined || routeOptions.config.thing?.coversAnswer !== true) return false;
  return isAmong(header, tag);
}

function sendUnchanged(reply: FastifyReply): null {
  reply.code(304).removeHeader('content-type').removeHeader('content-length');
  return null;
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function changedMeanwhile(): AppError {
  return new AppError(
    'changed_meanwhile',
    'Someone else has changed this in the meantime. Read it again before you change it.',
  );
}

function isThere(): AppError {
  return new AppError(
    'changed_meanwhile',
    'If-None-Match excludes what is there now. To change only the version that you have seen, send If-Match.',
  );
}

const TAGS = new RegExp(`^[\\s,]*${ENTITY_TAG.source}(?:\\s*,[\\s,]*${ENTITY_TAG.source})*[\\s,]*$`);
