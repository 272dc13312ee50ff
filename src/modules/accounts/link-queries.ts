import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { EMAIL_VERIFICATION_MS, PASSWORD_RESET_MS } from './limits.ts';
import type { LinkKind } from './mailed-link.ts';

export type UserLinkKind = Exclude<LinkKind, 'invitation' | 'registration'>;

const LIFETIME_MS: Readonly<Record<UserLinkKind, number>> = {
  'password-reset': PASSWORD_RESET_MS,
  'email-verification': EMAIL_VERIFICATION_MS,
};

/** A new link, which goes out by mail when the transaction commits; the one before it works no more. */
export async function replaceLink(transaction: Db, orgId: number, userId: number, purpose: UserLinkKind) {
  await deleteLinks(transaction, orgId, userId, purpose);
  const { id } = await transaction
    .insertInto('account_links')
    .values({ org_id: orgId, user_id: userId, purpose, expires_at: new Date(Date.now() + LIFETIME_MS[purpose]) })
    .returning('id')
    .executeTakeFirstOrThrow();
  await writeToOutbox(transaction, { orgId, topic: 'account.mail-wanted', payload: { kind: purpose, id } });
}

/** Whose link it is; undefined when it was used, replaced, or has expired. */
export function openLink(db: Db, orgId: number, id: number, purpose: UserLinkKind) {
  return db
    .selectFrom('account_links')
    .innerJoin('users', (join) =>
      join.onRef('users.org_id', '=', 'account_links.org_id').onRef('users.id', '=', 'account_links.user_id'),
    )
    .where('account_links.org_id', '=', orgId)
    .where('account_links.id', '=', id)
    .where('account_links.purpose', '=', purpose)
    .where('account_links.expires_at', '>', sql<string>`now()`)
    .select(['users.id as userId', 'users.email'])
    .executeTakeFirst();
}

/** The user's id, or undefined as above. Of two at once one gets it. */
export async function takeLink(transaction: Db, orgId: number, id: number, purpose: UserLinkKind) {
  const taken = await transaction
    .deleteFrom('account_links')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('purpose', '=', purpose)
    .where('expires_at', '>', sql<string>`now()`)
    .returning('user_id')
    .executeTakeFirst();
  return taken?.user_id;
}

export async function deleteLinks(transaction: Db, orgId: number, userId: number, purpose: UserLinkKind) {
  await transaction
    .deleteFrom('account_links')
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .where('purpose', '=', purpose)
    .execute();
}

export async function verifyEmail(transaction: Db, orgId: number, userId: number): Promise<void> {
  await transaction
    .updateTable('users')
    .set({ email_verified_at: sql`coalesce(email_verified_at, now())` })
    .where('org_id', '=', orgId)
    .where('id', '=', userId)
    .execute();
}

/** Deletes up to `limit` that have expired; returns how many. */
export async function deleteExpiredLinks(db: Db, limit: number): Promise<number> {
  const deleted = await sql`
    delete from account_links where (org_id, id) in (
      select org_id, id from account_links where expires_at < now() order by expires_at limit ${limit} for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
