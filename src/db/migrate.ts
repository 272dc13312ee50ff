/**
 * What it is: runs migrations/*.sql through kysely's migrator, forward only, on tables that are in use.
 * What fails without it: an ALTER TABLE that waits behind one long query makes every later query wait behind it.
 * How it works: one process at a time and one transaction per file. A statement waits for its lock only briefly, so
 *   that the queries queued behind it are not delayed for long; then the file is rolled back, traffic proceeds, and it
 *   retries. A file whose first line is `-- no-transaction` runs statement by statement instead, for CREATE INDEX
 *   CONCURRENTLY.
 * What it costs: a file may run several times before it gets its locks.
 * Its bound: MIGRATION_LOCK_MS, MIGRATION_LOCK_TRIES_MAX, MIGRATION_BUILD_LOCK_MS, MIGRATION_TURN_MS.
 * Its proof: test/db/migrate.test.ts; test/db/migration-rules.test.ts reads the files themselves.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { DatabaseError, Pool } from 'pg';
import { StartError } from '../errors.ts';
import { projectFile } from '../files.ts';
import { backoffMs } from '../flow/backoff.ts';
import {
  MIGRATION_BUILD_LOCK_MS,
  MIGRATION_LOCK_MS,
  MIGRATION_LOCK_RETRY_MS,
  MIGRATION_LOCK_TRIES_MAX,
  MIGRATION_TURN_MS,
  MIGRATION_TURN_POLL_MS,
} from '../limits.ts';
import { type MigrationFile, migrationFiles, runFile } from './migration-files.ts';
import type { Db, Schema } from './schema.ts';
import { refuseOldServer } from './server-version.ts';

export interface MigrateOptions {
  readonly folder?: string;
  readonly lockTries?: number;
  /** Called before each wait when a lock could not be acquired. */
  readonly onBlocked?: (blocked: { migration: string; attempt: number; waitMs: number }) => void;
}

/**
 * Runs pending migrations in order, one process at a time. Returns the names that ran; an error names the file that
 * failed. Throws StartError when the server is too old, or was migrated by a file that no longer exists.
 */
export function migrate(db: Db, options: MigrateOptions = {}): Promise<string[]> {
  return db.connection().execute(async (connection) => {
    await refuseOldServer(connection);
    await takeTurn(connection);
    try {
      const files = await migrationFiles(options.folder ?? projectFile('migrations'));
      await refuseForeignHistory(connection, files);
      const ran: string[] = [];
      for (;;) {
        const name = await runNext(connection, files, options);
        if (name === undefined) return ran;
        ran.push(name);
      }
    } finally {
      // If the connection broke, the server has already released the lock.
      await sql`select pg_advisory_unlock(${TURN})`.execute(connection).catch(() => undefined);
    }
  });
}

/** One plain connection. It needs a real session: connect directly to PostgreSQL, not through PgBouncer. */
export function openMigrationDatabase(url: string): Db {
  const pool = new Pool({ connectionString: url, max: 1 });
  // A broken connection shows up as a failed statement; without these listeners it would end the process first.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

/** Throws StartError when the database is down, too old or lacks migrations: a process must not serve from it. */
export async function refuseWrongDatabase(db: Db, url: string): Promise<void> {
  await refuseUnreachable(db, url);
  await refuseOldServer(db);
  const files = await migrationFiles(projectFile('migrations'));
  const pending = await pendingMigrations(migratorOf(db, files));
  if (pending.length > 0) throw new StartError(`The database lacks ${pending.join(', ')}. Run npm run migrate first.`);
}

/** Throws StartError with a message for the operator when the database does not answer. */
export async function refuseUnreachable(db: Db, url: string): Promise<void> {
  await sql`select 1`.execute(db).catch((error) => {
    throw new StartError(
      `The database does not answer at ${new URL(url).host}: ${error instanceof Error ? error.message || error.name : error}. ` +
        'Is it running, and is DATABASE_URL right?',
    );
  });
}

const TURN = sql`hashtext('tardigrade migrations')`;

/**
 * Polls instead of waiting inside PostgreSQL, as kysely's own lock does: a waiter there is a transaction that CREATE
 * INDEX CONCURRENTLY waits for in turn, and PostgreSQL ends one of the two as a deadlock.
 */
async function takeTurn(connection: Db): Promise<void> {
  const deadline = performance.now() + MIGRATION_TURN_MS;
  for (;;) {
    const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_lock(${TURN}) as mine`.execute(connection);
    if (rows[0]?.mine) return;
    if (performance.now() > deadline) {
      throw new Error(`Another process has been migrating this database for ${MIGRATION_TURN_MS} ms. Is it stuck?`);
    }
    await delay(MIGRATION_TURN_POLL_MS);
  }
}

/** A file was removed, or it is another product's database: its schema is not one that our files can continue. */
async function refuseForeignHistory(connection: Db, files: MigrationFile[]): Promise<void> {
  const { rows: tables } = await sql<{ there: boolean }>`
    select to_regclass('kysely_migration') is not null as there`.execute(connection);
  if (!tables[0]?.there) return;
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(connection);
  const known = new Set(files.map(({ name }) => name));
  const missing = rows.map(({ name }) => name).filter((name) => !known.has(name));
  if (missing.length === 0) return;
  throw new StartError(
    `The database was migrated by ${missing.join(', ')}, which is not in migrations/: ` +
      'put the file back, or start with an empty database (npm run reset empties the one of npm start).',
  );
}

/** Returns the name of the migration that ran; undefined when none is pending. */
async function runNext(
  connection: Db,
  files: MigrationFile[],
  { lockTries = MIGRATION_LOCK_TRIES_MAX, onBlocked }: MigrateOptions,
): Promise<string | undefined> {
  const migrator = migratorOf(connection, files);
  const [next] = await pendingMigrations(migrator);
  const inTransaction = files.find(({ name }) => name === next)?.inTransaction ?? true;
  for (let attempt = 1; ; attempt++) {
    // Set here as well as on the connection: a role or a database can have its own limits.
    const lockMs = inTransaction ? MIGRATION_LOCK_MS : MIGRATION_BUILD_LOCK_MS;
    await sql`select set_config('lock_timeout', ${String(lockMs)}, false),
      set_config('statement_timeout', '0', false)`.execute(connection);
    const { error, results = [] } = await migrator.migrateUp({ disableTransactions: !inTransaction });
    if (error === undefined) return results[0]?.migrationName;

    const failed = results[0]?.migrationName ?? 'The migration';
    if (!inTransaction) throw await halfDone(connection, failed, error);
    if (!isBlocked(error)) throw new Error(`${failed} ${UNDONE}: ${messageOf(error)}`, { cause: error });
    if (attempt >= lockTries) throw stillBlocked(failed, attempt, error);
    // No jitter: nothing else is retrying, and the wait is for the queries that queued behind this.
    const waitMs = backoffMs(attempt - 1, MIGRATION_LOCK_RETRY_MS, () => 1);
    onBlocked?.({ migration: failed, attempt, waitMs });
    await delay(waitMs);
  }
}

function migratorOf(db: Db, files: MigrationFile[]): Migrator {
  const migrations = files.map((file) => [file.name, { up: (on: Db) => runFile(on, file) }] as const);
  return new Migrator({ db, provider: { getMigrations: async () => Object.fromEntries(migrations) } });
}

async function pendingMigrations(migrator: Migrator): Promise<string[]> {
  const migrations = await migrator.getMigrations();
  return migrations.filter((migration) => migration.executedAt === undefined).map((migration) => migration.name);
}

const UNDONE = 'failed, and nothing of it was kept';

/** lock_not_available (the lock timeout) or deadlock_detected: both roll the whole file back. */
function isBlocked(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '55P03' || error.code === '40P01');
}

function stillBlocked(name: string, attempts: number, error: unknown): Error {
  return new Error(
    `${name} ${UNDONE}: ${attempts} times it could not get its lock within ${MIGRATION_LOCK_MS} ms ` +
      `(${messageOf(error)}). A long transaction is holding a lock on the table; the first rows of ` +
      '"select pid, application_name, xact_start, query from pg_stat_activity order by xact_start" show which. ' +
      'End it or wait for it to finish, then run npm run migrate again.',
    { cause: error },
  );
}

async function halfDone(connection: Db, name: string, error: unknown): Promise<Error> {
  const invalid = await sql<{ name: string }>`
    select indexrelid::regclass::text as name from pg_index where not indisvalid order by 1`
    .execute(connection)
    .catch(() => ({ rows: [] })); // the connection may be what failed
  const left =
    invalid.rows.length === 0
      ? ''
      : ` Left behind INVALID, written to but never read from: ${invalid.rows.map((row) => row.name).join(', ')};` +
        ' the file drops it before it builds it again.';
  return new Error(
    `${name} failed outside a transaction: ${messageOf(error)}. The statements before it have been committed.${left} ` +
      'Fix the cause and run npm run migrate again: it starts with the first statement of the file.',
    { cause: error },
  );
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const detail = error instanceof DatabaseError && error.detail !== undefined ? ` (${error.detail})` : '';
  return `${error.message}${detail}`;
}
