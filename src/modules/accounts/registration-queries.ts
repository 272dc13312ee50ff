import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { REGISTRATION_MS, REGISTRATIONS_MAX, REGISTRATIONS_PUSHED_OUT_MAX } from './limits.ts';

/**
 * The id for the link, to be mailed: of an address that was given before the same one, which holds from now on as long as
 * a new one. A new id would make useless what somebody may be about to click, and anybody can ask for any address.
 */
export async function renewRegistration(transaction: Db, email: string): Promise<number> {
  // What has expired stays so.
  await transaction
    .deleteFrom('registrations')
    .where('email', '=', email)
    .where('expires_at', '<=', sql<string>`now()`)
    .execute();
  const { id } = await transaction
    .insertInto('registrations')
    .values({ email, expires_at: new Date(Date.now() + REGISTRATION_MS) })
    .onConflict((conflict) =>
      conflict.column('email').doUpdateSet((q) => ({
        created_at: sql<string>`default`,
        expires_at: q.ref('excluded.expires_at'),
        mailed_at: null,
        mail_problem: null,
      })),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Ids only grow, so among the newest REGISTRATIONS_MAX of them there are no more rows than that. */
export async function pushOutRegistrations(transaction: Db, newestId: number): Promise<void> {
  await sql`
    delete from registrations where id in (
      select id from registrations where id <= ${newestId - REGISTRATIONS_MAX}::bigint
      order by id limit ${REGISTRATIONS_PUSHED_OUT_MAX} for update skip locked
    )`.execute(transaction);
}

/** What somebody with its link sees; undefined when it was used or has expired. */
export async function openRegistration(db: Db, id: number) {
  return db
    .selectFrom('registrations')
    .leftJoin('users', 'users.email', 'registrations.email')
    .where('registrations.id', '=', id)
    .where('registrations.expires_at', '>', sql<string>`now()`)
    .select(['registrations.email', 'users.id as userId'])
    .executeTakeFirst();
}

/** The address, or undefined as above. Of two at once one gets it. */
export async function takeRegistration(transaction: Db, id: number): Promise<string | undefined> {
  const taken = await transaction
    .deleteFrom('registrations')
    .where('id', '=', id)
    .where('expires_at', '>', sql<string>`now()`)
    .returning('email')
    .executeTakeFirst();
  return taken?.email;
}

/** Deletes up to `limit` that have expired; returns how many. */
export async function deleteExpiredRegistrations(db: Db, limit: number): Promise<number> {
  const deleted = await sql`
    delete from registrations where id in (
      select id from registrations where expires_at < now() order by expires_at limit ${limit} for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
