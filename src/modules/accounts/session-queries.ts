import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { RETENTION_STEP_ROWS } from '../../limits.ts';
import { SESSIONS_LISTED_MAX } from './limits.ts';

/** The latest first. */
export async function sessionsOf(db: Db, orgId: number, userId: number) {
  const found = await db
    .selectFrom('sessions')
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .select(['id', 'device', 'network', 'created_at as createdAt', 'last_used_at as lastUsedAt', 'expires_at'])
    .orderBy('id', 'desc')
    .limit(SESSIONS_LISTED_MAX)
    .execute();
  return found.filter(({ expires_at }) => Date.parse(expires_at) > Date.now());
}

/** Whether there was one. */
export async function deleteSession(transaction: Db, orgId: number, userId: number, id: number): Promise<boolean> {
  const deleted = await transaction
    .deleteFrom('sessions')
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}

/** All of a user's, but for one; returns how many. Short statements: nothing limits how often somebody signs in. */
export async function deleteSessions(transaction: Db, orgId: number, userId: number, exceptId = 0): Promise<number> {
  let deleted = 0;
  for (const side of ['<', '>'] as const) {
    let step: number;
    do {
      step = await deleteSome(transaction, orgId, userId, sql`id ${sql.raw(side)} ${exceptId}`);
      deleted += step;
    } while (step === RETENTION_STEP_ROWS);
  }
  return deleted;
}

async function deleteSome(transaction: Db, orgId: number, userId: number, which: RawBuilder<unknown>): Promise<number> {
  const deleted = await sql`
    delete from sessions where org_id = ${orgId} and (org_id, user_id, id) in (
      select org_id, user_id, id from sessions where org_id = ${orgId} and user_id = ${userId} and ${which}
      order by id limit ${RETENTION_STEP_ROWS}
    )`.execute(transaction);
  return Number(deleted.numAffectedRows ?? 0);
}
