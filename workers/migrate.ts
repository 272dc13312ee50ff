import { migrate, openMigrationDatabase, refuseUnreachable } from '../src/db/migrate.ts';
import type { Process } from '../src/process/run-process.ts';

/** Brings the schema up to date, then exits: 0 when it is. */
export async function start(process: Process): Promise<void> {
  const db = await process.open(
    'database',
    () => openMigrationDatabase(process.config.databaseMigrateUrl),
    (opened) => opened.destroy(),
  );
  await refuseUnreachable(db, process.config.databaseMigrateUrl);
  const ran = await migrate(db, {
    onBlocked: (blocked) => process.log.warn(blocked, 'the migration waits for a lock that somebody holds for long'),
  });
  process.log.info({ ran }, ran.length === 0 ? 'schema is up to date' : 'schema was brought up to date');
  process.end();
}
