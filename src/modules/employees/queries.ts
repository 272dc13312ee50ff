import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import { prepareQuery } from '../../db/prepared-statements.ts';
import type { Db } from '../../db/schema.ts';
import { ABANDONED_IMPORT_SECONDS, ABANDONED_IMPORTS_ROWS, TEAMS_MAX } from './limits.ts';

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

const importColumns = [
  'id',
  'file_name',
  'status',
  'rows_read',
  'rows_added',
  'rows_updated',
  'rows_unchanged',
  'rows_rejected',
  'rejections',
  'error',
  'reading',
  'created_at',
  'finished_at',
] as const;

export async function insertImport(db: Db, orgId: number, fileName: string) {
  const row = await db
    .insertInto('imports')
    .values({ org_id: orgId, file_name: fileName })
    .returning([...importColumns])
    .executeTakeFirstOrThrow();
  return toImport(row);
}

export async function importById(db: Db, orgId: number, id: number) {
  const row = await db
    .selectFrom('imports')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select([...importColumns])
    .executeTakeFirst();
  return row && toImport(row);
}

/** Newest first. */
export async function importsPage(
  db: Db,
  orgId: number,
  [beforeId]: IdPlace = [Number.MAX_SAFE_INTEGER],
  rows: number,
) {
  const found = await db
    .selectFrom('imports')
    .where('org_id', '=', orgId)
    .where('id', '<', beforeId)
    .select([...importColumns])
    .orderBy('id', 'desc')
    .limit(rows)
    .execute();
  return found.map(toImport);
}

/** Returns the name of the file, to the one caller that may send it. */
export async function claimImport(db: Db, orgId: number, id: number): Promise<string | undefined> {
  const claimed = await db
    .updateTable('imports')
    .set({ status: 'running', touched_at: sql`now()` })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', '=', 'waiting')
    .returning('file_name')
    .executeTakeFirst();
  return claimed?.file_name;
}

export interface BatchOutcome {
  readonly read: number;
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly rejections: { line: number; reason: string }[];
  readonly rejectionsKept: number;
}

export async function recordBatch(db: Db, orgId: number, id: number, batch: BatchOutcome): Promise<void> {
  await sql`
    update imports set
      rows_read = rows_read + ${batch.read}::int,
      rows_added = rows_added + ${batch.added}::int,
      rows_updated = rows_updated + ${batch.updated}::int,
      rows_unchanged = rows_unchanged + ${batch.unchanged}::int,
      rows_rejected = rows_rejected + ${batch.rejected}::int,
      rejections = case when jsonb_array_length(rejections) >= ${batch.rejectionsKept}::int then rejections
        else (select coalesce(jsonb_agg(entry), '[]') from (
          select entry from jsonb_array_elements(rejections || ${JSON.stringify(batch.rejections)}::jsonb) as entry
          limit ${batch.rejectionsKept}::int) as kept) end,
      touched_at = now()
    where org_id = ${orgId} and id = ${id}`.execute(db);
}

export interface ImportOutcome {
  /** Null when the whole file was read. */
  readonly error: string | null;
  /** Null when it did not come to that. */
  readonly reading: ImportReading | null;
}

/** Returns what became of its rows. */
export async function finishImport(
  db: Db,
  orgId: number,
  id: number,
  { error, reading }: ImportOutcome,
): Promise<{ fileName: string; added: number; updated: number; rejected: number }> {
  return db
    .updateTable('imports')
    .set({
      status: error === null ? 'done' : 'failed',
      error,
      reading: reading === null ? null : JSON.stringify(reading),
      finished_at: sql`now()`,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returning(['file_name as fileName', 'rows_added as added', 'rows_updated as updated', 'rows_rejected as rejected'])
    .executeTakeFirstOrThrow();
}

/** Fails imports that have made no progress for ABANDONED_IMPORT_SECONDS. Returns how many. */
export async function failRunningImports(db: Db): Promise<number> {
  const failed = await sql`
    update imports set status = 'failed', finished_at = now(),
      error = 'The import was interrupted. What it had read is kept; send the file again, nobody is added twice.'
    where (org_id, id) in (select org_id, id from imports where status = 'running' and touched_at < now() - make_interval(secs => ${ABANDONED_IMPORT_SECONDS}::int) limit ${ABANDONED_IMPORTS_ROWS})`.execute(
    db,
  );
  return Number(failed.numAffectedRows ?? 0);
}

/** How a file was read. Columns count from 1. */
export interface ImportReading {
  readonly encoding: string;
  readonly encodingKnownBy: string;
  readonly delimiter: string;
  readonly headerLine: number | null;
  readonly columns: { name: ImportColumn[]; email: ImportColumn; team: ImportColumn | null };
}

export interface ImportColumn {
  readonly column: number;
  readonly title: string | null;
}

type ImportRow = {
  id: number;
  file_name: string;
  status: 'waiting' | 'running' | 'done' | 'failed';
  rows_read: number;
  rows_added: number;
  rows_updated: number;
  rows_unchanged: number;
  rows_rejected: number;
  rejections: { line: number; reason: string }[];
  error: string | null;
  reading: ImportReading | null;
  created_at: string;
  finished_at: string | null;
};

function toImport(row: ImportRow) {
  return {
    id: row.id,
    fileName: row.file_name,
    status: row.status,
    rowsRead: row.rows_read,
    rowsAdded: row.rows_added,
    rowsUpdated: row.rows_updated,
    rowsUnchanged: row.rows_unchanged,
    rowsRejected: row.rows_rejected,
    rejections: row.rejections,
    error: row.error,
    reading: row.reading,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
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
