import { migrate, openMigrationDatabase, refuseUnreachable } from '../src/db/migrate.ts';
import type { Process } from '../src/process/run-process.ts';

/** Brings the schema up to date, then exits, with 0 on success. */
export async function start(process: Process): Promise<void> {
  const db = await process.open(
    'database',
    () => openMigrationDatabase(process.config.databaseMigrateUrl),
    (opened) => opened.destroy(),
  );
  await refuseUnreachable(db, process.config.databaseMigrateUrl);
  const ran = await migrate(db, {
    onBlocked: (blocked) =>
      process.log.warn(blocked, 'the migration is waiting for a lock that another transaction holds'),
  });
  process.log.info({ ran }, ran.length === 0 ? 'schema is up to date' : 'schema migrated');
  process.end();
}
