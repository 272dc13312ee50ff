import { sql } from 'kysely';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db } from '../../db/schema.ts';
import { ABANDONED_IMPORT_SECONDS, ABANDONED_IMPORTS_ROWS } from './limits.ts';

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

/** So that failRunningImports does not take it for abandoned. */
export async function touchImport(db: Db, orgId: number, id: number): Promise<void> {
  await db
    .updateTable('imports')
    .set({ touched_at: sql`now()` })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', '=', 'running')
    .execute();
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

/** Returns whether it still runs; otherwise nothing is recorded, and the batch must not be stored. */
export async function recordBatch(db: Db, orgId: number, id: number, batch: BatchOutcome): Promise<boolean> {
  const recorded = await sql`
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
    where org_id = ${orgId} and id = ${id} and status = 'running'`.execute(db);
  return recorded.numAffectedRows === 1n;
}

export interface ImportOutcome {
  /** Null when the whole file was read. */
  readonly error: string | null;
  /** Null when it did not come to that. */
  readonly reading: ImportReading | null;
}

/** Returns what became of its rows, or undefined when it no longer ran. */
export async function finishImport(
  db: Db,
  orgId: number,
  id: number,
  { error, reading }: ImportOutcome,
): Promise<{ fileName: string; added: number; updated: number; rejected: number } | undefined> {
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
    .where('status', '=', 'running')
    .returning(['file_name as fileName', 'rows_added as added', 'rows_updated as updated', 'rows_rejected as rejected'])
    .executeTakeFirst();
}

export const INTERRUPTED =
  'The import was interrupted. What it had read is kept; send the file again, nobody is added twice.';

/**
 * Fails imports that have written nothing for ABANDONED_IMPORT_SECONDS. Returns how many. One whose row is locked is just
 * writing: after the wait for it, its end would be overwritten.
 */
export async function failRunningImports(db: Db): Promise<number> {
  const failed = await sql`
    update imports set status = 'failed', finished_at = now(), error = ${INTERRUPTED}
    where (org_id, id) in (select org_id, id from imports where status = 'running' and touched_at < now() - make_interval(secs => ${ABANDONED_IMPORT_SECONDS}::int) limit ${ABANDONED_IMPORTS_ROWS} for update skip locked)`.execute(
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
