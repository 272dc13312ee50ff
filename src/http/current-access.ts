/**
 * What it is: a request that only people may send is judged once more, in the transaction that does what it asks for.
 * What fails without it: a process knows a session, and the role of its user, for SESSION_CACHE_MS. Somebody whom another
 *   process has just signed out, demoted or removed leaves something behind that outlasts it: a key, an invitation to
 *   themselves, an address that is told everything.
 * How it works: every write of such a request first reads the session and the role from the primary. A request that has
 *   begun its transaction before the change is committed counts as having come before it.
 * What it costs: one read by key for each write of a route with the scope `none`, which are few.
 * Its proof: test/modules/accounts/members.test.ts.
 */
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

/** Writes only for a user who is signed in at that moment, with this role; throws `unauthenticated` or `forbidden`. */
export function writeWhileSignedIn(
  session: DatabaseSession,
  user: SignedIn,
  needed: Role | undefined,
): DatabaseSession {
  return {
    read: (query) => session.read(query),
    write: (work) =>
      session.write(async (transaction) => {
        const role = await currentRole(transaction, user);
        if (role === undefined) throw new AppError('unauthenticated', 'This session has ended. Sign in again.');
        refuseLowerRole(role, needed);
        return work(transaction);
      }),
    get position() {
      return session.position;
    },
  };
}

/** Undefined: the session has ended. */
async function currentRole(transaction: Db, { orgId, userId, sessionId = 0 }: SignedIn): Promise<Role | undefined> {
  const found = await transaction
    .selectFrom('sessions')
    .innerJoin('users', (join) =>
      join.onRef('users.org_id', '=', 'sessions.org_id').onRef('users.id', '=', 'sessions.user_id'),
    )
    .where('sessions.org_id', '=', orgId)
    .where('sessions.user_id', '=', userId)
    .where('sessions.id', '=', sessionId)
    .select('users.role')
    .executeTakeFirst();
  return found?.role;
}
