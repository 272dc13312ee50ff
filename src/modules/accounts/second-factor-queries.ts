import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';

/** Confirmed or not. */
export function secondFactor(db: Db, orgId: number, userId: number) {
  return secondFactorOf(db, orgId, userId).executeTakeFirst();
}

/** Until the transaction ends nobody else begins, confirms or removes one. */
export async function lockSecondFactor(transaction: Db, orgId: number, userId: number) {
  // There may be no row of it yet, so its user is locked.
  const users = transaction.selectFrom('users').where('org_id', '=', orgId).where('id', '=', userId);
  await users.select('id').forNoKeyUpdate().execute();
  return secondFactorOf(transaction, orgId, userId).forUpdate().executeTakeFirst();
}

function secondFactorOf(db: Db, orgId: number, userId: number) {
  return db
    .selectFrom('second_factors')
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .select(['sealed_secret as sealedSecret', 'confirmed_at as confirmedAt', 'last_step as lastStep']);
}

export async function countRecoveryCodes(db: Db, orgId: number, userId: number): Promise<number> {
  const { count } = await db
    .selectFrom('recovery_codes')
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .select((q) => q.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Replaces one that was never confirmed. */
export async function insertSecondFactor(transaction: Db, orgId: number, userId: number, sealedSecret: Buffer) {
  await deleteSecondFactor(transaction, orgId, userId);
  await transaction
    .insertInto('second_factors')
    .values({ org_id: orgId, user_id: userId, sealed_secret: sealedSecret })
    .execute();
}

export async function confirmSecondFactor(transaction: Db, orgId: number, userId: number): Promise<void> {
  await transaction
    .updateTable('second_factors')
    .set({ confirmed_at: sql`now()` })
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .execute();
}

/** False when this step, or a later one, was used before: of two requests with one code, one gets through. */
export async function useStep(transaction: Db, orgId: number, userId: number, step: number): Promise<boolean> {
  const updated = await transaction
    .updateTable('second_factors')
    .set({ last_step: step })
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .where('last_step', '<', step)
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

export async function insertRecoveryCodes(transaction: Db, orgId: number, userId: number, hashes: readonly Buffer[]) {
  await transaction
    .insertInto('recovery_codes')
    .values(hashes.map((code_hash) => ({ org_id: orgId, user_id: userId, code_hash })))
    .execute();
}

/** False when there is no such code: each works once. */
export async function useRecoveryCode(transaction: Db, orgId: number, userId: number, hash: Buffer): Promise<boolean> {
  const deleted = await transaction
    .deleteFrom('recovery_codes')
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .where('code_hash', '=', hash)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}

/** One that was begun and not confirmed: by somebody who knew the password of before. */
export async function deleteBegunSecondFactor(transaction: Db, orgId: number, userId: number): Promise<void> {
  await transaction
    .deleteFrom('second_factors')
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is', null)
    .execute();
}

/** Its recovery codes go with it. Whether there was one. */
export async function deleteSecondFactor(transaction: Db, orgId: number, userId: number): Promise<boolean> {
  const deleted = await transaction
    .deleteFrom('second_factors')
    .where('org_id', '=', orgId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}
