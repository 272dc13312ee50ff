/**
 * The whole way once, with a database of its own: archive, back up, write, lose the disk, restore: as far as the log
 * goes, and to a moment before. Every write that was acknowledged is numbered, so it is known which of them came back.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { migrate, openMigrationDatabase } from '../../src/db/migrate.ts';
import { choosePort } from '../embedded/ports.ts';
import { createPrimary } from '../embedded/postgres.ts';
import { chooseAccount, handOver } from '../embedded/postgres-account.ts';
import { ADMIN_ROLE } from '../embedded/postgres-roles.ts';
import { loadSecrets } from '../embedded/secrets.ts';
import { seed } from '../seed.ts';
import { type DrillReport, drill } from './drill.ts';
import { openPgBackRest, type PgBackRest, type Repository, STANZA, settingsFile } from './pgbackrest.ts';
import { type Server, startServer } from './server.ts';
import type { Tools } from './tools.ts';

export interface RehearsalOptions {
  readonly tools: Tools;
  /** Empty, and with a short path: a socket file is in it. */
  readonly folder: string;
  readonly repository: Repository;
  readonly seedScale: number;
  /** How long somebody writes after the backup, and the longest that a commit waits for its archiving. */
  readonly writeSeconds: number;
  readonly archiveSeconds: number;
  readonly say: (text: string) => void;
}

export interface Rehearsal {
  readonly backupSeconds: number;
  /** Acknowledged until the disk was lost. */
  readonly writes: number;
  readonly latest: Returned;
  /** Restored to just after this write. */
  readonly targetWrite: number;
  readonly toTarget: Returned;
}

export interface Returned {
  readonly report: DrillReport;
  /** The last write that came back, how many are missing up to it, and how long before the loss it was acknowledged. */
  readonly lastWrite: number;
  readonly missing: number;
  readonly secondsBeforeLoss: number;
}

const DATABASE = 'tardigrade';
const WRITE_EVERY_MS = 5;
/** When in that time the moment is that is restored to: the log of it must be archived before the disk is lost. */
const TARGET_SHARE = 1 / 3;
/** Around the moment that is restored to, so that no commit falls into the same millisecond. */
const STILL_MS = 100;

export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const { tools, folder, repository, say } = options;
  const port = await choosePort('primary', 'any');
  const dataFolder = await makeDatabase(options);
  const settings = path.join(folder, 'pgbackrest.conf');
  const own = path.join(folder, 'own');
  for (const place of [own, ...(repository.kind === 'folder' ? [repository.folder] : [])]) {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    handOver(place, chooseAccount());
  }
  writeFileSync(
    settings,
    settingsFile({ repository, folder: own, dataFolder, port, socketFolder: folder, user: ADMIN_ROLE }),
  );
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
  let written: Written;
  let backupSeconds: number;
  try {
    backupSeconds = await backUp(pgbackrest, say);
    written = await writeFor(server, options.writeSeconds);
  } finally {
    // The disk is lost with the machine: nothing is flushed, nothing is archived any more.
    await server.child.stop([]);
    // Its children end by themselves, a little later.
    rmSync(dataFolder, { recursive: true, force: true, maxRetries: 20 });
  }
  say(`the server is killed and its data deleted, after ${written.acknowledgedAt.length} acknowledged writes`);
  const restore = (target?: Date) => restoreAndCount({ ...options, pgbackrest, port, written, target });
  const latest = await restore();
  return {
    backupSeconds,
    writes: written.acknowledgedAt.length,
    latest,
    targetWrite: written.targetWrite,
    toTarget: await restore(written.target),
  };
}

/** Migrated and seeded, by the programs of `npm start`; the tools' own go on with it. */
async function makeDatabase({ folder, seedScale, say }: RehearsalOptions): Promise<string> {
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

async function backUp(pgbackrest: PgBackRest, say: RehearsalOptions['say']): Promise<number> {
  await pgbackrest.run('stanza-create');
  const begun = performance.now();
  await pgbackrest.run('backup', '--type=full');
  const seconds = (performance.now() - begun) / 1000;
  say(`a full backup, in ${seconds.toFixed(1)} s`);
  return seconds;
}

interface Written {
  /** By number, from 1 on; milliseconds of performance.now(). */
  readonly acknowledgedAt: readonly number[];
  readonly lostAt: number;
  readonly target: Date;
  readonly targetWrite: number;
}

async function writeFor(server: Server, seconds: number): Promise<Written> {
  const client = new pg.Client({ connectionString: server.url(DATABASE) });
  await client.connect();
  const acknowledgedAt: number[] = [];
  const writeUntil = async (until: number) => {
    while (performance.now() < until) {
      await client.query('insert into rehearsed_writes values ($1)', [acknowledgedAt.length + 1]);
      acknowledgedAt.push(performance.now());
      await sleep(WRITE_EVERY_MS);
    }
  };
  const begun = performance.now();
  await writeUntil(begun + seconds * 1000 * TARGET_SHARE);
  await sleep(STILL_MS);
  const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
  const targetWrite = acknowledgedAt.length;
  await sleep(STILL_MS);
  await writeUntil(begun + seconds * 1000);
  await client.end();
  return { acknowledgedAt, lostAt: performance.now(), target: rows[0]?.now as Date, targetWrite };
}

async function restoreAndCount(
  options: RehearsalOptions & { pgbackrest: PgBackRest; port: number; written: Written; target: Date | undefined },
): Promise<Returned> {
  const { tools, pgbackrest, folder, port, written, target } = options;
  let [lastWrite, rows] = [0, 0];
  const report = await drill({
    tools,
    pgbackrest,
    folder,
    port,
    database: DATABASE,
    user: ADMIN_ROLE,
    shared: [folder],
    target,
    async ask(client) {
      const found = await client.query<{ last: number | null; rows: number }>(
        'select max(number) as last, count(*)::int as rows from rehearsed_writes',
      );
      [lastWrite, rows] = [found.rows[0]?.last ?? 0, found.rows[0]?.rows ?? 0];
    },
  });
  const acknowledged = written.acknowledgedAt[lastWrite - 1] ?? written.acknowledgedAt[0] ?? written.lostAt;
  return { report, lastWrite, missing: lastWrite - rows, secondsBeforeLoss: (written.lostAt - acknowledged) / 1000 };
}
