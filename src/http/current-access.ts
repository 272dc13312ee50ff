/**
 * What it is: a request that only people may send is checked again, in the transaction that does what it asks for.
 * What fails without it: a process knows a session, and the role of its user, for SESSION_CACHE_MS. Somebody whom another
 *   process has just signed out, demoted or removed leaves something behind that outlasts it: a key, an invitation to
 *   themselves, a webhook.
 * How it works: every write of such a request first takes its organisation's access lock, and then reads the session and
 *   the role from the primary. What ends sessions or changes roles takes the lock as well, so it comes before the check,
 *   or after everything that was written. Not the rows of the user or the session: two owners who remove each other would
 *   both hold their own and wait for the other's. One lock, and always the first one, cannot deadlock.
 * What it costs: a lock and one read by key for each write of a route with the scope `none`; these are few, and wait for
 *   each other within an organisation.
 * Its proof: test/modules/accounts/members.test.ts.
 */
import { sql } from 'kysely';
import type { DatabaseSession } from '../db/read-write-split.ts';
import type { Db, Role } from '../db/schema.ts';
import { AppError } from '../errors.ts';
import type { SignedIn } from './app.ts';

const ROLE_RANK: Record<Role, number> = { viewer: 0, admin: 1, owner: 2 };

/** Throws `forbidden`. `needed`: undefined where any role will do. */
export function refuseLowerRole(own: Role, needed: Role | undefined): void {
  if (needed !== undefined && ROLE_RANK[own] < ROLE_RANK[needed])
    throw new AppError('forbidden', `This needs the role ${needed}; you are signed in as ${own}.`);
}

/** Until the transaction ends nobody's access to the organisation changes. Take it before all other locks. */
export async function lockAccess(transaction: Db, orgId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('access to ' || ${orgId}::bigint, 0))`.execute(transaction);
}

/** Those that have not expired, with their users. */
export function openSessions(db: Db) {
  return db
    .selectFrom('sessions')
    .innerJoin('users', (join) =>
      join.onRef('users.org_id', '=', 'sessions.org_id').onRef('users.id', '=', 'sessions.user_id'),
    )
    .where('sessions.expires_at', '>', sql<string>`now()`);
}

/**
 * Writes only for a user who is signed in at that moment, with this role; throws `unauthenticated` or `forbidden`. `forget`
 * is called when what this process remembers of them is outdated.
 */
export function writeWhileSignedIn(
  session: DatabaseSession,
  user: SignedIn,
  needed: Role | undefined,
  forget: () => void,
): DatabaseSession {
  return {
    read: (query) => session.read(query),
    write: (work) =>
      session.write(async (transaction) => {
        await lockAccess(transaction, user.orgId);
        const role = await currentRole(transaction, user);
        if (role !== user.role) forget();
        if (role === undefined) throw new AppError('unauthenticated', 'This session has ended. Sign in again.');
        refuseLowerRole(role, needed);
        return work(transaction);
      }),
    position: session.position,
  };
}

/** Undefined: the session has ended. */
async function currentRole(transaction: Db, { orgId, userId, sessionId = 0 }: SignedIn): Promise<Role | undefined> {
  const found = await openSessions(transaction)
    .where('sessions.org_id', '=', orgId)
    .where('sessions.user_id', '=', userId)
    .where('sessions.id', '=', sessionId)
    .select('users.role')
    .executeTakeFirst();
  return found?.role;
}
