import type { Db } from '../../db/schema.ts';

export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

/** Whose identity it is: the provider's subject, and never an address, which changes hands. */
export function userOfIdentity(db: Db, { issuer, subject }: Identity) {
  return db
    .selectFrom('oidc_identities')
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .select(['org_id as orgId', 'user_id as userId'])
    .executeTakeFirst();
}

/** False when the account or the identity is linked already. */
export async function linkIdentity(
  transaction: Db,
  orgId: number,
  userId: number,
  { issuer, subject }: Identity,
): Promise<boolean> {
  const linked = await transaction
    .insertInto('oidc_identities')
    .values({ org_id: orgId, user_id: userId, issuer, subject })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return linked.numInsertedOrUpdatedRows === 1n;
}
