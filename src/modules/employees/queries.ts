import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import { prepareQuery } from '../../db/prepared-statements.ts';
import type { Db } from '../../db/schema.ts';

/** In order of id. */
export async function employeesPage(
  db: Db,
  orgId: number,
  { teamId }: { teamId?: number | undefined },
  [afterId]: IdPlace = [0],
  rows: number,
) {
  const found =
    teamId === undefined
      ? await PAGES.all(db, { orgId, afterId, rows })
      : await PAGES.ofTeam(db, { orgId, afterId, rows, teamId });
  return found.map(toEmployee);
}

export const employeeColumns = [
  'employees.id',
  'employees.name',
  'employees.email',
  'employees.team_id',
  'teams.name as team',
  'employees.unsubscribed_at',
  'employees.created_at',
] as const;

const PAGES = {
  all: prepareQuery((db, values: { orgId: number; afterId: number; rows: number }) => anyPage(db, values)),
  ofTeam: prepareQuery((db, values: { orgId: number; afterId: number; rows: number; teamId: number }) =>
    anyPage(db, values).where('employees.team_id', '=', values.teamId),
  ),
};

function anyPage(db: Db, { orgId, afterId, rows }: { orgId: number; afterId: number; rows: number }) {
  return employeesWithTeam(db, orgId)
    .where('employees.id', '>', afterId)
    .select(employeeColumns)
    .orderBy('employees.id')
    .limit(rows);
}

/** The employees of one organisation; select `employeeColumns` from it. */
export function employeesWithTeam(db: Db, orgId: number) {
  return db
    .selectFrom('employees')
    .innerJoin('teams', (join) =>
      join.onRef('teams.org_id', '=', 'employees.org_id').onRef('teams.id', '=', 'employees.team_id'),
    )
    .where('employees.org_id', '=', orgId);
}

export interface EmployeeRow {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly team_id: number;
  readonly team: string;
  readonly unsubscribed_at: string | null;
  readonly created_at: string;
}

export function toEmployee(row: EmployeeRow) {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    team: { id: row.team_id, name: row.team },
    unsubscribedAt: row.unsubscribed_at,
    createdAt: row.created_at,
  };
}

/**
 * Adds new employees, updates changed ones and leaves the rest alone. Of rows with the same address, in any case, the
 * last one counts, as it would if they were in different batches.
 */
export async function upsertEmployees(db: Db, orgId: number, rows: { email: string; name: string; team_id: number }[]) {
  if (rows.length === 0) return { added: 0, updated: 0 };
  const given = rows.map((row, nth) => ({ ...row, nth }));
  const written = await sql<{ added: boolean }>`
    insert into employees (org_id, email, name, team_id)
    select distinct on (lower(email)) ${orgId}::bigint, lower(email), name, team_id
    from ${givenRows(given, { email: 'text', name: 'text', team_id: 'bigint', nth: 'integer' })}
    order by lower(email), nth desc
    on conflict (org_id, email) do update
      set name = excluded.name, team_id = excluded.team_id
      where (employees.name, employees.team_id) is distinct from (excluded.name, excluded.team_id)
    returning (xmax = 0) as added`.execute(db);
  const added = written.rows.filter((row) => row.added).length;
  return { added, updated: written.rows.length - added };
}
