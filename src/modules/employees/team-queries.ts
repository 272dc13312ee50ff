import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { TEAMS_MAX } from './limits.ts';

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

/** The teams that have one of these names, in any case, by the name as it was given. */
export async function teamsByName(db: Db, orgId: number, names: readonly string[]): Promise<Map<string, number>> {
  // Materialised, because under Row-Level Security an index serves only leakproof conditions, and lower() is not one.
  const { rows } = await sql<{ name: string; id: number }>`
    with given as materialized (select name, lower(name) as name_lower from unnest(${names}::text[]) as names (name))
    select given.name, team.id from given
    cross join lateral (
      select id from teams where org_id = ${orgId} and name_lower = given.name_lower limit 1
    ) as team`.execute(db);
  return new Map(rows.map((row) => [row.name, row.id]));
}

/**
 * Adds teams up to TEAMS_MAX, each in the case in which it is given first. Two imports can add the same team at once:
 * the second one gets the first one's row.
 */
export async function addTeams(db: Db, orgId: number, names: readonly string[]): Promise<void> {
  await sql`
    insert into teams (org_id, name)
    select ${orgId}::bigint, name from (
      select name from (
        select distinct on (lower(name)) name, nth from unnest(${names}::text[]) with ordinality as given (name, nth)
        order by lower(name), nth
      ) as fresh
      order by nth limit greatest(0, ${TEAMS_MAX}::int - (select count(*) from teams where org_id = ${orgId}))
    ) as first
    order by lower(name)
    on conflict (org_id, name_lower) do nothing`.execute(db);
}
