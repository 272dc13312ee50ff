/**
 * What it is: a backup that was restored. The last backup and the log after it are brought back on another port, every
 *   rule of every module is asked, and it is said what came back and how long it took.
 * What fails without it: the backup runs every night, and the day it is needed it lacks the log, the key or a table.
 * How it works: pgBackRest restores into a folder of its own with archiving off, so that the drill never writes into the
 *   repository; PostgreSQL replays the log up to the target and takes writes; `npm run verify` asks its rules.
 * What it costs: the database's size on disk, for as long as the drill takes. Nothing of the running database.
 * Its bound: RECOVERY_MS, and the room that there must be before it begins.
 * Its proof: test/scripts/restore-drill.test.ts, and what it finds wrong test/scripts/restore-faults.test.ts.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { chooseAccount, handOver } from '../embedded/postgres-account.ts';
import type { Verdict } from '../verify/verdict.ts';
import { verifyDatabase } from '../verify/verify-database.ts';
import { type BackupInfo, chooseBackup, type PgBackRest } from './pgbackrest.ts';
import { requireBackupOf, requireRoom, requireWholePages } from './preconditions.ts';
import { askRecovery, explainFailure } from './recovery.ts';
import { type Server, startServer, untilRecovered } from './server.ts';
import type { Tools } from './tools.ts';

export interface DrillOptions {
  readonly tools: Tools;
  readonly pgbackrest: PgBackRest;
  /** An empty folder with a short path; the restored database is in it until the end. */
  readonly folder: string;
  readonly port: number;
  /** The product's database, and the superuser of the server. */
  readonly database: string;
  readonly user: string;
  readonly shared: readonly string[];
  /** The last moment that comes back; default: as far as the log goes. */
  readonly target?: Date | undefined;
  /** The data folder of the cluster that it should be a backup of. */
  readonly dataFolder?: string | undefined;
  /** Ends it, and what it has started. */
  readonly stopped: AbortSignal;
  /** More questions to the restored database, before it is gone. */
  readonly ask?: (client: pg.Client) => Promise<void>;
}

export interface DrillReport {
  readonly backup: BackupInfo;
  readonly restoreSeconds: number;
  /** Until it took writes. */
  readonly recoverySeconds: number;
  /** The commit time of the last transaction that came back from the log; null when the backup was all there was. */
  readonly lastCommit: Date | null;
  /** What is wrong with the log, in words; empty when nothing is. */
  readonly faults: readonly string[];
  readonly verdicts: readonly Verdict[];
}

export async function drill(options: DrillOptions): Promise<DrillReport> {
  const { tools, pgbackrest, folder, shared, target, stopped } = options;
  const backup = await chooseBackup(pgbackrest, target);
  if (options.dataFolder !== undefined) await requireBackupOf(options.dataFolder, backup, tools, shared);
  requireWholePages(backup);
  await requireRoom(folder, backup);
  const dataFolder = path.join(folder, 'restored');
  const tablespaces = path.join(folder, 'tablespaces');
  for (const place of [dataFolder, tablespaces]) {
    mkdirSync(place, { mode: 0o700 });
    handOver(place, chooseAccount());
  }
  try {
    const begun = performance.now();
    await pgbackrest.run(
      'restore',
      ...restoreOptions(folder, dataFolder, tablespaces, backup),
      ...targetOptions(target),
    );
    stopped.throwIfAborted();
    const restored = performance.now();
    const server = await startServer({ ...options, name: 'restored', dataFolder });
    try {
      stopped.throwIfAborted();
      await untilRecovered(server);
      const recovered = performance.now();
      return {
        backup,
        restoreSeconds: (restored - begun) / 1000,
        recoverySeconds: (recovered - restored) / 1000,
        ...(await examine(server, backup, options)),
      };
    } finally {
      await server.stop();
    }
  } catch (error) {
    throw explainFailure(error, backup, target);
  } finally {
    for (const place of [dataFolder, tablespaces]) rmSync(place, { recursive: true, force: true });
  }
}

async function examine(server: Server, backup: BackupInfo, { database, target, ask }: DrillOptions) {
  const client = new pg.Client({ connectionString: server.url(database) });
  client.on('error', () => undefined); // the query in flight fails
  await client.connect();
  try {
    const { lastCommit, gap } = await askRecovery(client, backup, target === undefined);
    await ask?.(client);
    return {
      lastCommit,
      faults: gap === undefined ? [] : [gap],
      verdicts: await verifyDatabase(server.url(database)),
    };
  } finally {
    await client.end();
  }
}

/** Everything goes into the drill's folder, and the locks too: a backup, or a real restore, can run meanwhile. */
function restoreOptions(folder: string, dataFolder: string, tablespaces: string, { label }: BackupInfo): string[] {
  return [
    `--set=${label}`,
    `--pg1-path=${dataFolder}`,
    `--tablespace-map-all=${tablespaces}`,
    `--lock-path=${path.join(folder, 'lock')}`,
    '--archive-mode=off',
  ];
}

function targetOptions(target: Date | undefined): string[] {
  if (target === undefined) return ['--type=default'];
  const text = `${target.toISOString().replace('T', ' ').replace('Z', '')}+00`;
  return ['--type=time', `--target=${text}`, '--target-action=promote'];
}
