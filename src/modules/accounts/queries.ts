import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { AppError } from '../../errors.ts';

export async function insertOrganisation(
  db: Db,
  given: { organisation: string; name: string; email: string; passwordHash: string },
) {
  const organisation = await db
    .insertInto('organisations')
    .values({ name: given.organisation.trim() })
    .returning(['id', 'name'])
    .executeTakeFirstOrThrow();
  const user = await db
    .insertInto('users')
    .values({
      org_id: organisation.id,
      email: given.email,
      name: given.name.trim(),
      role: 'owner',
      password_hash: given.passwordHash,
    })
    .returning(['id', 'name', 'email', 'role'])
    .executeTakeFirstOrThrow();
  return { organisation, user };
}

/** Addresses are unique across all organisations: this is the only read that happens before the tenant is known. */
export function userByEmail(db: Db, email: string) {
  return db
    .selectFrom('users')
    .innerJoin('organisations', 'organisations.id', 'users.org_id')
    .leftJoin('second_factors', (join) =>
      join.onRef('second_factors.org_id', '=', 'users.org_id').onRef('second_factors.user_id', '=', 'users.id'),
    )
    .where('users.email', '=', email)
    .select([
      'second_factors.confirmed_at as second_factor_since',
      'users.org_id',
      'users.id',
      'users.name',
      'users.email',
      'users.role',
      'users.password_hash',
      'organisations.name as organisation',
    ])
    .executeTakeFirst();
}

export async function me(db: Db, orgId: number, userId: number) {
  const row = await db
    .selectFrom('users')
    .innerJoin('organisations', 'organisations.id', 'users.org_id')
    .where('users.org_id', '=', orgId)
    .where('users.id', '=', userId)
    .select(['users.id', 'users.name', 'users.email', 'users.role', 'organisations.name as organisation'])
    .executeTakeFirst();
  // Removed since the session was looked up.
  if (row === undefined) throw new AppError('unauthenticated', 'This account does not exist any more.');
  const { organisation, ...user } = row;
  return { user, organisation: { id: orgId, name: organisation } };
}

/** For the second step of a sign-in. */
export function userById(db: Db, orgId: number, userId: number) {
  return db
    .selectFrom('users')
    .innerJoin('organisations', 'organisations.id', 'users.org_id')
    .where('users.org_id', '=', orgId)
    .where('users.id', '=', userId)
    .select([
      'users.org_id',
      'users.id',
      'users.name',
      'users.email',
      'users.role',
      'users.password_hash',
      'organisations.name as organisation',
    ])
    .executeTakeFirst();
}

export function passwordOf(db: Db, orgId: number, userId: number) {
  return db
    .selectFrom('users')
    .where('org_id', '=', orgId)
    .where('id', '=', userId)
    .select(['email', 'password_hash'])
    .executeTakeFirst();
}

export async function updatePassword(transaction: Db, orgId: number, userId: number, hash: string): Promise<void> {
  await transaction
    .updateTable('users')
    .set({ password_hash: hash })
    .where('org_id', '=', orgId)
    .where('id', '=', userId)
    .execute();
}

/** False for a user who is not there any more, or has another password than the one that was verified. */
export async function replacePassword(
  transaction: Db,
  orgId: number,
  userId: number,
  { verified, hash }: { verified: string; hash: string },
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('users')
    .set({ password_hash: hash })
    .where('org_id', '=', orgId)
    .where('id', '=', userId)
    .where('password_hash', '=', verified)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/**
 * Whether the user is still there, with the password that was verified. It stays so until the transaction ends: a password
 * is verified for a while and outside of it, and must not let anybody in that a reset meanwhile has locked out.
 */
export async function holdPassword(transaction: Db, orgId: number, userId: number, verified: string): Promise<boolean> {
  const held = await transaction
    .selectFrom('users')
    .where('org_id', '=', orgId)
    .where('id', '=', userId)
    .where('password_hash', '=', verified)
    .select('id')
    .forShare()
    .executeTakeFirst();
  return held !== undefined;
}

/** Deletes up to `limit` sessions that have expired; returns how many. */
export async function deleteExpiredSessions(db: Db, limit: number): Promise<number> {
  const deleted = await sql`
    delete from sessions where token_hash = any(array(
      select token_hash from sessions where expires_at < now() order by expires_at limit ${limit} for update skip locked
    ))`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
