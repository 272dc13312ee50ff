import { sql } from 'kysely';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db, Role } from '../../db/schema.ts';
import { EXPIRED_KEPT_DAYS, INVITATION_MS } from './limits.ts';

const COLUMNS = [
  'id',
  'email',
  'role',
  'invited_by as invitedBy',
  'created_at as createdAt',
  'expires_at as expiresAt',
  'mailed_at as mailedAt',
  'mail_problem as mailProblem',
] as const;

export function invitationsPage(db: Db, orgId: number, before: IdPlace | undefined, rows: number) {
  let query = db.selectFrom('invitations').where('org_id', '=', orgId);
  if (before !== undefined) query = query.where('id', '<', before[0]);
  return query.select(COLUMNS).orderBy('id', 'desc').limit(rows).execute();
}

/** What somebody with its link sees; undefined when it was used, withdrawn, or has expired. */
export function openInvitation(db: Db, orgId: number, id: number) {
  return db
    .selectFrom('invitations')
    .innerJoin('organisations', 'organisations.id', 'invitations.org_id')
    .where('invitations.org_id', '=', orgId)
    .where('invitations.id', '=', id)
    .where('invitations.expires_at', '>', sql<string>`now()`)
    .select(['invitations.email', 'invitations.role', 'organisations.name as organisation'])
    .executeTakeFirst();
}

/** An older invitation of the same address is replaced, and its link with it. */
export async function replaceInvitation(
  transaction: Db,
  orgId: number,
  given: { email: string; role: Role; invitedBy: number },
) {
  await transaction.deleteFrom('invitations').where('org_id', '=', orgId).where('email', '=', given.email).execute();
  return transaction
    .insertInto('invitations')
    .values((q) => ({
      org_id: orgId,
      email: given.email,
      role: given.role,
      invited_by: q
        .selectFrom('users')
        .where('org_id', '=', orgId)
        .where('id', '=', given.invitedBy)
        .select('name') as never,
      expires_at: new Date(Date.now() + INVITATION_MS),
    }))
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

/** Returns what it was, or undefined when there was none, or it had expired. Of two at once one gets it. */
export function takeInvitation(transaction: Db, orgId: number, id: number) {
  return transaction
    .deleteFrom('invitations')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('expires_at', '>', sql<string>`now()`)
    .returning(['email', 'role'])
    .executeTakeFirst();
}

export function deleteInvitation(transaction: Db, orgId: number, id: number) {
  return transaction
    .deleteFrom('invitations')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst();
}

export async function isMember(db: Db, orgId: number, email: string): Promise<boolean> {
  const found = await db
    .selectFrom('users')
    .where('org_id', '=', orgId)
    .where('email', '=', email)
    .select('id')
    .executeTakeFirst();
  return found !== undefined;
}

/** Deletes up to `limit` that have expired; returns how many. */
export async function deleteExpiredInvitations(db: Db, limit: number): Promise<number> {
  const deleted = await sql`
    delete from invitations where (org_id, id) in (
      select org_id, id from invitations where expires_at < now() - make_interval(days => ${EXPIRED_KEPT_DAYS}::int)
      order by expires_at limit ${limit} for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
