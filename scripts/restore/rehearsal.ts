/**
 * The whole way once, with a database of its own: archive, back up, write, lose the disk, restore: as far as the log
 * goes, and to a moment before. Every write that was acknowledged is numbered, so it is known which of them came back.
 */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { choosePort } from '../embedded/ports.ts';
import { ADMIN_ROLE } from '../embedded/postgres-roles.ts';
import {
  type ArchivedDatabase,
  type ArchivedDatabaseOptions,
  DATABASE,
  openArchivedDatabase,
} from './archived-database.ts';
import { type DrillReport, drill } from './drill.ts';
import type { PgBackRest } from './pgbackrest.ts';
import type { Server } from './server.ts';

export interface RehearsalOptions extends ArchivedDatabaseOptions {
  /** How long somebody writes after the backup. */
  readonly writeSeconds: number;
  readonly stopped: AbortSignal;
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

const WRITE_EVERY_MS = 5;
/** When in that time the moment is that is restored to: the log of it must be archived before the disk is lost. */
const TARGET_SHARE = 1 / 3;
/** Around the moment that is restored to, so that no commit falls into the same millisecond. */
const STILL_MS = 100;

export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const archived = await openArchivedDatabase(options);
  try {
    return await loseAndRestore(archived, options);
  } finally {
    await archived.forget();
  }
}

async function loseAndRestore(archived: ArchivedDatabase, options: RehearsalOptions): Promise<Rehearsal> {
  const { server, dataFolder, pgbackrest, backupSeconds } = archived;
  const { say } = options;
  let written: Written;
  try {
    written = await writeFor(server, options.writeSeconds);
  } finally {
    // The disk is lost with the machine: nothing is flushed, nothing is archived any more.
    await server.child.stop([]);
    // Its children end by themselves, a little later.
    rmSync(dataFolder, { recursive: true, force: true, maxRetries: 20 });
  }
  say(`the server is killed and its data deleted, after ${written.acknowledgedAt.length} acknowledged writes`);
  const restore = (target?: Date) => restoreAndCount({ ...options, pgbackrest, written, target });
  const latest = await restore();
  return {
    backupSeconds,
    writes: written.acknowledgedAt.length,
    latest,
    targetWrite: written.targetWrite,
    toTarget: await restore(written.target),
  };
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
  client.on('error', () => undefined); // the query in flight fails
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
  options: RehearsalOptions & { pgbackrest: PgBackRest; written: Written; target: Date | undefined },
): Promise<Returned> {
  const { tools, pgbackrest, folder, written, target, stopped } = options;
  let [lastWrite, rows] = [0, 0];
  const report = await drill({
    tools,
    pgbackrest,
    folder,
    port: await choosePort('primary', 'any'),
    database: DATABASE,
    user: ADMIN_ROLE,
    shared: [folder],
    target,
    stopped,
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
