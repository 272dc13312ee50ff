import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type MigrationProvider, Migrator } from 'kysely/migration';
import { Pool } from 'pg';
import { StartError } from '../errors.ts';
import { projectFile } from '../files.ts';
import { LOCK_MS } from '../limits.ts';
import type { Db } from './database.ts';
import type { Schema } from './schema.ts';

/** Runs what is missing of migrations/*.sql, in order, one process at a time (kysely's lock). Returns the names that ran. */
export async function migrate(db: Db): Promise<string[]> {
  const { error, results = [] } = await new Migrator({
    db,
    provider: sqlFiles(projectFile('migrations')),
  }).migrateToLatest();
  if (error !== undefined) {
    const failed = results.find((result) => result.status === 'Error')?.migrationName ?? 'a migration';
    throw new Error(`${failed} failed, and nothing of it was kept: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  return results.map((result) => result.migrationName);
}

/** One plain connection without the product's short timeouts: building an index may take its time. */
export function openMigrationDatabase(url: string): Db {
  const pool = new Pool({ connectionString: url, max: 1, lock_timeout: LOCK_MS });
  // A connection that breaks is told by the statement that fails; without listeners it would end the process first.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

/** A process must not serve from a database that is down or whose schema it does not know: throws StartError. */
export async function refuseWrongDatabase(db: Db, url: string): Promise<void> {
  await refuseUnreachable(db, url);
  const pending = await pendingMigrations(db);
  if (pending.length > 0) throw new StartError(`The database lacks ${pending.join(', ')}. Run npm run migrate first.`);
}

/** Throws StartError, in words for an operator, when the database does not answer. */
export async function refuseUnreachable(db: Db, url: string): Promise<void> {
  await sql`select 1`.execute(db).catch((error) => {
    throw new StartError(
      `The database does not answer at ${new URL(url).host}: ${error instanceof Error ? error.message || error.name : error}. ` +
        'Is it running, and is DATABASE_URL right?',
    );
  });
}

async function pendingMigrations(db: Db): Promise<string[]> {
  const migrations = await new Migrator({ db, provider: sqlFiles(projectFile('migrations')) }).getMigrations();
  return migrations.filter((migration) => migration.executedAt === undefined).map((migration) => migration.name);
}

function sqlFiles(folder: string): MigrationProvider {
  return {
    async getMigrations() {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
      const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
      return Object.fromEntries(
        names.map((name, index) => [
          name.replace(/\.sql$/, ''),
          { up: async (db: Db) => void (await sql.raw(texts[index] as string).execute(db)) },
        ]),
      );
    },
  };
}
