import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';

/** `person-1@domain`, `person-2@domain`, …, all in the team "People". Returns their ids in that order. */
export async function addEmployees(db: Db, orgId: number, count: number, domain: string): Promise<number[]> {
  return addEmployeesNamed(
    db,
    orgId,
    Array.from({ length: count }, (_, index) => ({
      name: `Person ${index + 1}`,
      email: `person-${index + 1}@${domain}`,
    })),
  );
}

export async function addEmployeesNamed(
  db: Db,
  orgId: number,
  people: { name: string; email: string }[],
): Promise<number[]> {
  await sql`insert into teams (org_id, name) values (${orgId}, 'People') on conflict do nothing`.execute(db);
  const added = await sql<{ id: number }>`
    insert into employees (org_id, team_id, name, email)
    select ${orgId}::bigint, teams.id, person.name, person.email
    from teams, unnest(${people.map((person) => person.name)}::text[], ${people.map((person) => person.email)}::text[])
      with ordinality as person (name, email, place)
    where teams.org_id = ${orgId} order by place
    returning id`.execute(db);
  return added.rows.map((row) => row.id).sort((a, b) => a - b);
}
