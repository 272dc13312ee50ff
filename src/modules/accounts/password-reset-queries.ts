import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { PASSWORD_RESET_MS } from './limits.ts';

/**
 * A link, which goes out by mail when the transaction commits: the one that was mailed before while it has at least half of
 * its time. Anybody can ask for any address, and must neither make useless what its owner is about to click, nor keep an
 * old link alive.
 */
export async function remailPasswordReset(transaction: Db, orgId: number, userId: number): Promise<void> {
  await transaction
    .deleteFrom('password_resets')
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .where('expires_at', '<', new Date(Date.now() + PASSWORD_RESET_MS / 2).toISOString())
    .execute();
  const { id } = await transaction
    .insertInto('password_resets')
    .values({ org_id: orgId, user_id: userId, expires_at: new Date(Date.now() + PASSWORD_RESET_MS) })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'user_id']).doUpdateSet(() => ({
        created_at: sql<string>`default`,
        mailed_at: null,
        mail_problem: null,
      })),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  await writeToOutbox(transaction, { orgId, topic: 'account.mail-wanted', payload: { kind: 'password-reset', id } });
}

/** Whose link it is; undefined when it was used or has expired. */
export function openPasswordReset(db: Db, orgId: number, id: number) {
  return db
    .selectFrom('password_resets')
    .innerJoin('users', (join) =>
      join.onRef('users.org_id', '=', 'password_resets.org_id').onRef('users.id', '=', 'password_resets.user_id'),
    )
    .where('password_resets.org_id', '=', orgId)
    .where('password_resets.id', '=', id)
    .where('password_resets.expires_at', '>', sql<string>`now()`)
    .select(['users.id as userId', 'users.email'])
    .executeTakeFirst();
}

/** The user's id, or undefined as above. Of two at once one gets it. */
export async function takePasswordReset(transaction: Db, orgId: number, id: number): Promise<number | undefined> {
  const taken = await transaction
    .deleteFrom('password_resets')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('expires_at', '>', sql<string>`now()`)
    .returning('user_id')
    .executeTakeFirst();
  return taken?.user_id;
}

export async function deletePasswordReset(transaction: Db, orgId: number, userId: number): Promise<void> {
  await transaction.deleteFrom('password_resets').where('org_id', '=', orgId).where('user_id', '=', userId).execute();
}

/** Deletes up to `limit` that have expired; returns how many. */
export async function deleteExpiredPasswordResets(db: Db, limit: number): Promise<number> {
  const deleted = await sql`
    delete from password_resets where (org_id, id) in (
      select org_id, id from password_resets where expires_at < now() order by expires_at limit ${limit} for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
