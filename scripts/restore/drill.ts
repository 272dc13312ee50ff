/**
 * What it is: a backup that was restored. The last backup and the log after it are brought back on another port, every
 *   rule of every module is asked, and it is said what came back and how long it took.
 * What fails without it: the backup runs every night, and the day it is needed it lacks the log, the key or a table.
 * How it works: pgBackRest restores into a folder of its own with archiving off, so that the drill never writes into the
 *   repository; PostgreSQL replays the log up to the target and takes writes; `npm run verify` asks its rules.
 * What it costs: the database's size on disk, for as long as the drill takes. Nothing of the running database.
 * Its bound: RECOVERY_MS. Its proof: test/scripts/restore-drill.test.ts.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { chooseAccount, handOver } from '../embedded/postgres-account.ts';
import type { Verdict } from '../verify/verdict.ts';
import { verifyDatabase } from '../verify/verify-database.ts';
import { type BackupInfo, lastBackup, type PgBackRest } from './pgbackrest.ts';
import { startServer, untilRecovered } from './server.ts';
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
  readonly verdicts: readonly Verdict[];
}

export async function drill(options: DrillOptions): Promise<DrillReport> {
  const { tools, pgbackrest, folder, port, database, user, shared, target, ask } = options;
  const dataFolder = path.join(folder, 'restored');
  const backup = await lastBackup(pgbackrest);
  mkdirSync(dataFolder, { mode: 0o700 });
  handOver(dataFolder, chooseAccount());
  try {
    const begun = performance.now();
    await pgbackrest.run('restore', `--pg1-path=${dataFolder}`, '--archive-mode=off', ...targetOptions(target));
    const restored = performance.now();
    const server = await startServer({ tools, folder, name: 'restored', dataFolder, port, user, shared });
    try {
      await untilRecovered(server);
      const recovered = performance.now();
      const client = new pg.Client({ connectionString: server.url(database) });
      await client.connect();
      const { rows } = await client.query<{ at: Date | null }>('select pg_last_xact_replay_timestamp() as at');
      await ask?.(client);
      await client.end();
      return {
        backup,
        restoreSeconds: (restored - begun) / 1000,
        recoverySeconds: (recovered - restored) / 1000,
        lastCommit: rows[0]?.at ?? null,
        verdicts: await verifyDatabase(server.url(database)),
      };
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

function targetOptions(target: Date | undefined): string[] {
  if (target === undefined) return ['--type=default'];
  const text = `${target.toISOString().replace('T', ' ').replace('Z', '')}+00`;
  return ['--type=time', `--target=${text}`, '--target-action=promote'];
}
