/**
 * What it is: for each table, how long its rows are kept, in one place per module and with the code that deletes them.
 * What fails without it: a table that nobody thought of grows for years, and is noticed when its index no longer fits
 *   into memory, or when somebody asks for how long personal data is kept.
 * How it works: a module's `retention` face names every table that its migration creates. The mailer runs a loop for
 *   each that deletes: at once, and then every RETENTION_EVERY_MS, in short statements that find old rows by an index.
 * What it costs: one query per table and hour that finds nothing.
 * Its bound: RETENTION_STEP_ROWS per statement. Its proof: test/house/retention.test.ts, which compares the lists with
 *   the tables that there are, and with the pages in docs/.
 */
import { sql } from 'kysely';
import type { Database } from '../db/read-write-split.ts';
import type { Db } from '../db/schema.ts';
import { EVERY_ORGANISATION } from '../db/tenant-isolation.ts';
import { IDEMPOTENCY_KEY_MS, OUTBOX_DAYS, RETENTION_EVERY_MS, RETENTION_STEP_ROWS } from '../limits.ts';
import { deleteInSteps, every, type Loop } from './schedule.ts';

/** By table. */
export type Retention = Readonly<Record<string, TableRetention>>;

export type TableRetention =
  /** Deleted in the words of `deleted`; `forget` returns how many rows it has deleted. */
  | { readonly deleted: string; readonly forget: (database: Database, signal: AbortSignal) => Promise<number> }
  /** Deleted by a foreign key, together with the row of this table that it belongs to. */
  | { readonly deletedWith: string }
  /** Not deleted, for this reason. */
  | { readonly kept: string };

/** Of the tables that belong to no module. */
export const PLATFORM_RETENTION: Retention = {
  outbox: {
    deleted: `when it has been delivered, usually within a second; an event that could not be delivered for ${OUTBOX_DAYS} days`,
    forget: (database, signal) => forgetRows(database, signal, deleteUndelivered),
  },
  idempotency_keys: {
    deleted: `after ${IDEMPOTENCY_KEY_MS / 3_600_000} hours`,
    forget: (database, signal) => forgetRows(database, signal, deleteOldAnswers),
  },
  kysely_migration: { kept: 'one row for each migration file' },
  kysely_migration_lock: { kept: 'a single row' },
};

export function retentionLoops(database: Database, retentions: readonly Retention[]): Loop[] {
  return retentions.flatMap(Object.entries).flatMap(([table, retention]) => {
    if (!('forget' in retention)) return [];
    return [every(RETENTION_EVERY_MS, `retention of ${table}`, (signal) => retention.forget(database, signal))];
  });
}

/** For `forget`: repeats a statement that deletes up to `rows` old rows, of all organisations, until none are left. */
export function forgetRows(
  database: Database,
  signal: AbortSignal,
  step: (db: Db, rows: number) => Promise<number>,
): Promise<number> {
  return deleteInSteps(RETENTION_STEP_ROWS, signal, (rows) =>
    database.transact(EVERY_ORGANISATION, (transaction) => step(transaction, rows)),
  );
}

/** Only the oldest are looked at: ids are given out in the order of time, and what was delivered is gone. */
async function deleteUndelivered(db: Db, rows: number): Promise<number> {
  const deleted = await sql`
    delete from outbox where id = any(array(
      select id from (select id, created_at from outbox order by id limit ${rows} for update skip locked) as oldest
      where created_at < now() - make_interval(days => ${OUTBOX_DAYS}::int)
    ))`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}

async function deleteOldAnswers(db: Db, rows: number): Promise<number> {
  const deleted = await sql`
    delete from idempotency_keys where (org_id, caller, key_hash) in (
      select org_id, caller, key_hash from idempotency_keys
      where answered_at < now() - make_interval(secs => ${IDEMPOTENCY_KEY_MS / 1_000}::float8)
      order by answered_at limit ${rows} for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
