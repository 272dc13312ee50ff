import { sql } from 'kysely';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db, Role } from '../../db/schema.ts';

export function membersPage(db: Db, orgId: number, after: IdPlace | undefined, rows: number) {
  return db
    .selectFrom('users')
    .where('org_id', '=', orgId)
    .where('id', '>', after?.[0] ?? 0)
    .select(['id', 'name', 'email', 'role', 'created_at as createdAt'])
    .orderBy('id')
    .limit(rows)
    .execute();
}

export function memberById(db: Db, orgId: number, id: number) {
  return db
    .selectFrom('users')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select(['id', 'name', 'email', 'role'])
    .executeTakeFirst();
}

/** Whether the organisation has an owner besides this user. */
export async function hasOtherOwner(db: Db, orgId: number, id: number): Promise<boolean> {
  const other = await db
    .selectFrom('users')
    .where('org_id', '=', orgId)
    .where('role', '=', 'owner')
    .where('id', '<>', id)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}

export async function updateRole(transaction: Db, orgId: number, id: number, role: Role): Promise<void> {
  await transaction.updateTable('users').set({ role }).where('org_id', '=', orgId).where('id', '=', id).execute();
}

/** Sessions, keys and links go with the user. */
export async function deleteMember(transaction: Db, orgId: number, id: number): Promise<void> {
  await transaction.deleteFrom('users').where('org_id', '=', orgId).where('id', '=', id).execute();
}

/** Members and open invitations. */
export async function countMembers(db: Db, orgId: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (select count(*) from users where org_id = ${orgId})
      + (select count(*) from invitations where org_id = ${orgId} and expires_at > now()) as count`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

export function insertMember(
  transaction: Db,
  orgId: number,
  user: { email: string; name: string; role: Role; passwordHash: string },
) {
  return transaction
    .insertInto('users')
    .values({
      org_id: orgId,
      email: user.email,
      name: user.name,
      role: user.role,
      password_hash: user.passwordHash,
    })
    .returning(['id', 'name', 'email', 'role'])
    .executeTakeFirstOrThrow();
}
