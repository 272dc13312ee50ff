/** A database of the product whose log is archived, with one full backup: what the drill is rehearsed with. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { migrate, openMigrationDatabase } from '../../src/db/migrate.ts';
import { choosePort } from '../embedded/ports.ts';
import { createPrimary } from '../embedded/postgres.ts';
import { chooseAccount, handOver } from '../embedded/postgres-account.ts';
import { ADMIN_ROLE } from '../embedded/postgres-roles.ts';
import { loadSecrets } from '../embedded/secrets.ts';
import { seed } from '../seed.ts';
import { openPgBackRest, type PgBackRest, type Repository, STANZA, settingsFile } from './pgbackrest.ts';
import { type Server, startServer } from './server.ts';
import type { Tools } from './tools.ts';

export const DATABASE = 'tardigrade';

export interface ArchivedDatabaseOptions {
  readonly tools: Tools;
  /** Empty, and with a short path: a socket file is in it. */
  readonly folder: string;
  readonly repository: Repository;
  readonly seedScale: number;
  /** The longest that a commit waits for its archiving. */
  readonly archiveSeconds: number;
  readonly say: (text: string) => void;
}

export interface ArchivedDatabase {
  readonly server: Server;
  readonly dataFolder: string;
  /** pgBackRest's settings, and pgBackRest with them. */
  readonly settings: string;
  readonly pgbackrest: PgBackRest;
  readonly backupSeconds: number;
  /** Removes what it has written into a bucket; a folder is gone with everything else. */
  forget(): Promise<void>;
}

/** It has the table rehearsed_writes besides the product's own. */
export async function openArchivedDatabase(options: ArchivedDatabaseOptions): Promise<ArchivedDatabase> {
  const { tools, folder, say } = options;
  const dataFolder = await makeDatabase(options);
  const port = await choosePort('primary', 'any');
  const settings = writeSettings(options, dataFolder, port);
  const pgbackrest = openPgBackRest(tools, settings, STANZA, [folder]);
  const server = await startServer({
    tools,
    folder,
    name: 'primary',
    dataFolder,
    port,
    user: ADMIN_ROLE,
    shared: [folder],
    settings: {
      archive_mode: 'on',
      archive_command: `${tools.pgbackrest} --config=${settings} --stanza=${STANZA} archive-push %p`,
      archive_timeout: `${options.archiveSeconds}s`,
    },
  });
  const forget = async () => {
    if (options.repository.kind === 'folder') return;
    await pgbackrest.run('stop');
    await pgbackrest.run('stanza-delete', '--force');
  };
  try {
    return { server, dataFolder, settings, pgbackrest, backupSeconds: await backUp(pgbackrest, say), forget };
  } catch (error) {
    await server.stop();
    await forget();
    throw error;
  }
}

/** Migrated and seeded, by the programs of `npm start`; the tools' own go on with it. */
async function makeDatabase({ folder, seedScale, say }: ArchivedDatabaseOptions): Promise<string> {
  const secrets = loadSecrets(folder);
  const primary = await createPrimary({ folder, secrets, port: await choosePort('primary', 'any') });
  try {
    const db = openMigrationDatabase(primary.url);
    await migrate(db).finally(() => db.destroy());
    await seed(primary.adminUrl, { scale: seedScale });
    const client = new pg.Client({ connectionString: primary.adminUrl });
    await client.connect();
    await client.query('create table rehearsed_writes (number integer primary key)').finally(() => client.end());
  } finally {
    await primary.stop();
  }
  say(`a database with the seed at scale ${seedScale}`);
  return primary.dataFolder;
}

function writeSettings(options: ArchivedDatabaseOptions, dataFolder: string, port: number): string {
  const { folder, repository } = options;
  const own = path.join(folder, 'own');
  for (const place of [own, ...(repository.kind === 'folder' ? [repository.folder] : [])]) {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    handOver(place, chooseAccount());
  }
  const settings = path.join(folder, 'pgbackrest.conf');
  const content = settingsFile({
    repository,
    folder: own,
    dataFolder,
    port,
    socketFolder: folder,
    user: ADMIN_ROLE,
  });
  writeFileSync(settings, content, { mode: 0o600 });
  handOver(settings, chooseAccount());
  return settings;
}

async function backUp(pgbackrest: PgBackRest, say: ArchivedDatabaseOptions['say']): Promise<number> {
  await pgbackrest.run('stanza-create');
  const begun = performance.now();
  await pgbackrest.run('backup', '--type=full');
  const seconds = (performance.now() - begun) / 1000;
  say(`a full backup, in ${seconds.toFixed(1)} s`);
  return seconds;
}
