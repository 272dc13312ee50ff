import { sql } from 'kysely';
import type { IdPlace } from '../../../../src/db/keyset-pagination.ts';
import type { Db } from '../../../../src/db/schema.ts';

/** The columns that the API returns. */
const note = [
  'id',
  'title',
  'body',
  'status',
  'version',
  'created_at as createdAt',
  'updated_at as updatedAt',
] as const;

function selectNotes(db: Db, orgId: number) {
  return db.selectFrom('notes').where('org_id', '=', orgId).select(note);
}

export type Note = Awaited<ReturnType<ReturnType<typeof selectNotes>['executeTakeFirstOrThrow']>>;

/** Newest first. */
export function notesPage(
  db: Db,
  orgId: number,
  { status }: { status?: Note['status'] | undefined },
  [beforeId]: IdPlace = [Number.MAX_SAFE_INTEGER],
  rows: number,
): Promise<Note[]> {
  const page = selectNotes(db, orgId).where('id', '<', beforeId).orderBy('id', 'desc').limit(rows);
  return (status === undefined ? page : page.where('status', '=', status)).execute();
}

/** Oldest first, for the export. */
export function notesAfter(db: Db, orgId: number, [afterId]: IdPlace = [0], rows: number): Promise<Note[]> {
  return selectNotes(db, orgId).where('id', '>', afterId).orderBy('id').limit(rows).execute();
}

export function noteById(db: Db, orgId: number, id: number): Promise<Note | undefined> {
  return selectNotes(db, orgId).where('id', '=', id).executeTakeFirst();
}

export function insertNote(db: Db, orgId: number, content: { title: string; body: string }): Promise<Note> {
  return db
    .insertInto('notes')
    .values({ org_id: orgId, title: content.title, body: content.body })
    .returning(note)
    .executeTakeFirstOrThrow();
}

export interface NoteChange {
  readonly title?: string;
  readonly body?: string;
  readonly status?: Note['status'];
}

/** Undefined when the note does not exist. */
export function updateNote(db: Db, orgId: number, id: number, change: NoteChange): Promise<Note | undefined> {
  return db
    .updateTable('notes')
    .set((q) => ({
      title: change.title ?? q.ref('title'),
      body: change.body ?? q.ref('body'),
      status: change.status ?? q.ref('status'),
      version: q('version', '+', 1),
      updated_at: sql`now()`,
    }))
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returning(note)
    .executeTakeFirst();
}

/** Writes the rows in key order, so that two relays wait for each other instead of deadlocking. */
export async function addToNoteDays(db: Db, written: readonly { orgId: number; day: string }[]): Promise<void> {
  await sql`
    insert into note_days (org_id, day, written)
    select org_id, day, count(*) from unnest(
      ${written.map(({ orgId }) => orgId)}::bigint[], ${written.map(({ day }) => day)}::date[]
    ) as given (org_id, day)
    group by org_id, day order by org_id, day
    on conflict (org_id, day) do update set written = note_days.written + excluded.written`.execute(db);
}

/** Deletes up to `limit` notes that were marked as done more than `days` ago; returns how many. */
export async function deleteOldNotes(db: Db, days: number, limit: number): Promise<number> {
  // One organisation at a time, so that the index finds the old ones without reading the others.
  const old = await sql<{ org_id: number; id: number }>`
    select old.org_id, old.id from organisations o
    cross join lateral (
      select org_id, id from notes
      where org_id = o.id and status = 'done' and updated_at < now() - make_interval(days => ${days}::int)
      order by updated_at limit ${limit}
    ) as old
    limit ${limit}`.execute(db);
  if (old.rows.length === 0) return 0;
  await sql`
    delete from notes using unnest(
      ${old.rows.map((row) => row.org_id)}::bigint[], ${old.rows.map((row) => row.id)}::bigint[]
    ) as given (org_id, id)
    where notes.org_id = given.org_id and notes.id = given.id`.execute(db);
  return old.rows.length;
}
