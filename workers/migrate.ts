import { migrate, openMigrationDatabase, refuseUnreachable } from '../src/db/migrate.ts';
import type { Process } from '../src/process/run-process.ts';

/** Brings the schema up to date, then exits: 0 when it is. */
export async function start(process: Process): Promise<void> {
  const db = await process.open(
    'database',
    () => openMigrationDatabase(process.config.databaseUrl),
    (opened) => opened.destroy(),
  );
  await refuseUnreachable(db, process.config.databaseUrl);
  const ran = await migrate(db);
  process.log.info({ ran }, ran.length === 0 ? 'schema is up to date' : 'schema was brought up to date');
  process.end();
}
