import type { Db } from '../../db/database.ts';
import { TEAMS_MAX } from '../../limits.ts';

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

/** Addresses are unique over all organisations: this is the one read that comes before the tenant is known. */
export function userByEmail(db: Db, email: string) {
  return db
    .selectFrom('users')
    .innerJoin('organisations', 'organisations.id', 'users.org_id')
    .where('users.email', '=', email)
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

export async function me(db: Db, orgId: number, userId: number) {
  const row = await db
    .selectFrom('users')
    .innerJoin('organisations', 'organisations.id', 'users.org_id')
    .where('users.org_id', '=', orgId)
    .where('users.id', '=', userId)
    .select(['users.id', 'users.name', 'users.email', 'users.role', 'organisations.name as organisation'])
    .executeTakeFirstOrThrow();
  const { organisation, ...user } = row;
  return { user, organisation: { id: orgId, name: organisation } };
}

/** All teams (TEAMS_MAX at most) with the number of their employees. */
export function teams(db: Db, orgId: number) {
  return db
    .selectFrom('teams')
    .where('teams.org_id', '=', orgId)
    .select(['teams.id', 'teams.name', 'teams.employees'])
    .orderBy('teams.name')
    .limit(TEAMS_MAX)
    .execute();
}
