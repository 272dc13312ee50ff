import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { isPosition, NEVER_REPLAYED, parsePosition, type WalPosition } from '../db/failover-position.ts';
import { type Caller, createCaller, type Database, type DatabaseSession } from '../db/read-write-split.ts';
import { ERROR_STATUS } from '../errors.ts';
import { LAST_WRITES_KEPT } from '../limits.ts';
import type { App, SignedIn } from './app.ts';
import { inTime } from './request-time.ts';

/**
 * The header (and cookie) that carries the position of the caller's last write: a read that sends it back sees the
 * write.
 */
const READ_AFTER = 'read-after';
const READ_AFTER_COOKIE = 'tardigrade_read_after';

/**
 * Gives every request access to the database: `request.caller`, and once the user is known, `request.db` within their
 * organisation. The position travels with the client. But a browser keeps the cookie of the response that came last,
 * and of two concurrent requests that can be the earlier write, so this process also remembers each user's last write.
 */
export function readOwnWrites(app: App, database: Database): void {
  app.decorateRequest('caller', null as unknown as Caller);
  app.decorateRequest('db', null as unknown as DatabaseSession);
  app.addHook('onRequest', (request, _reply, done) => {
    const header = request.headers[READ_AFTER];
    const given = (typeof header === 'string' ? header : undefined) ?? request.cookies[READ_AFTER_COOKIE];
    // What cannot be read may have been a position once: the primary answers.
    const start = given === undefined || isPosition(given) ? given : NEVER_REPLAYED;
    request.caller = createCaller(inTime(database, request), start);
    done();
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    const send = () => {
      sayPosition(request, reply);
      done();
    };
    if (reply.statusCode === ERROR_STATUS.changed_meanwhile) void seeOthersWrites(request).then(send);
    else send();
  });
}

function sayPosition({ caller, cookies }: FastifyRequest, reply: FastifyReply): void {
  const position = caller?.position();
  if (position === undefined || position === cookies[READ_AFTER_COOKIE]) return;
  if (position === NEVER_REPLAYED && caller.lastWrite() === undefined) return; // it came with the request, or instead of nonsense
  reply.header(READ_AFTER, position);
  reply.setCookie(READ_AFTER_COOKIE, position, { path: '/', httpOnly: true, sameSite: 'lax' });
}

/** Who is told that somebody else was faster will read what they wrote: an empty transaction has a position after it. */
async function seeOthersWrites({ caller, user }: FastifyRequest): Promise<void> {
  if (user === null) return; // a stranger's request: there is no ETag that it could have had
  await caller
    .within(user.orgId)
    .write(async () => undefined)
    .catch(() => undefined); // the refusal is still true
}

/** Call `enter` when the user becomes known, and `leave` when the response is sent. */
export function createLastWrites() {
  const positions = new LRUCache<string, WalPosition>({ max: LAST_WRITES_KEPT });
  /** What was known when a request entered. */
  const known = new WeakMap<Caller, WalPosition>();
  const keyOf = ({ orgId, userId }: SignedIn) => `${orgId}/${userId}`;
  return {
    enter(user: SignedIn, caller: Caller): DatabaseSession {
      const position = positions.get(keyOf(user));
      if (position !== undefined) known.set(caller, position);
      caller.seeAtLeast(position);
      return caller.within(user.orgId);
    },
    leave(user: SignedIn, caller: Caller): void {
      const position = caller.lastWrite();
      if (position === undefined) return;
      // Replaces what was known before, which can be of a server that no longer exists, but no later write of a request
      // that has left meanwhile.
      const key = keyOf(user);
      const other = positions.get(key);
      const isOlder =
        other === undefined || other === known.get(caller) || parsePosition(other) < parsePosition(position);
      if (isOlder) positions.set(key, position);
    },
  };
}
