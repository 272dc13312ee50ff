/**
 * PostgreSQL 18, a primary and a real streaming replica, from the programs that npm ships.
 *
 * The package contains only initdb and postgres: roles and the database are created over a connection
 * (postgres-roles.ts), and the replica is a base backup taken through SQL (postgres-copy.ts).
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type pg from 'pg';
import {
  type Child,
  runToEnd,
  type Startable,
  type StopStep,
  startReady,
  type WrapCommand,
  waitForChild,
} from './child.ts';
import {
  POSTGRES_FAST_STOP_MS,
  POSTGRES_IMMEDIATE_STOP_MS,
  POSTGRES_READY_MS,
  REPLICA_STREAMING_MS,
} from './limits.ts';
import { type Account, chooseAccount, handOver, postgresHome, postgresPrograms, runAs } from './postgres-account.ts';
import { copyAsStandby } from './postgres-copy.ts';
import { ADMIN_ROLE, addressesOf, connectAsAdmin, ensureRolesAndDatabase, REPLICATION_ROLE } from './postgres-roles.ts';
import { HBA_FILE, type ReplicationSource, serverSettings, settingsFile } from './postgres-settings.ts';
import type { Secrets } from './secrets.ts';

export type PostgresOptions = {
  /** The stack's folder; the data is in `postgres/primary` and `postgres/replica` under it. */
  folder: string;
  port: number;
  secrets: Secrets;
  /** False for tests only: no fsync. Default true. */
  durable?: boolean;
  /** The account that PostgreSQL runs under; default: chooseAccount(). */
  account?: Account;
  wrap?: WrapCommand | undefined;
};

export type Postgres = Startable & {
  pid: number;
  port: number;
  dataFolder: string;
  account: Account;
  /** The role that owns the database: for migrations, the seed and inspection. It bypasses Row-Level Security. */
  url: string;
  /** For the workers: a role that owns nothing and can only take the product's own roles. */
  workerUrl: string;
  /** The superuser, on the same database: for tests that pause replay or cancel another connection's query. */
  adminUrl: string;
  /** `reused`, or made by this start. */
  origin: 'created' | 'reused' | 'rebuilt';
  /** Fast shutdown (SIGINT), then immediate (SIGQUIT). */
  stop: () => Promise<void>;
};

const STOP_STEPS: StopStep[] = [
  { signal: 'SIGINT', waitMs: POSTGRES_FAST_STOP_MS },
  { signal: 'SIGQUIT', waitMs: POSTGRES_IMMEDIATE_STOP_MS },
];

/** What a replica logs when waiting longer will not help: it no longer has a place in the primary's history. */
const HOPELESS =
  /has already been removed|system identifier differs|is not in this server's history|is behind recovery timeline|slot "\w+" does not exist|can no longer access/;

/** Starts the primary; creates its data directory, roles and database if they are missing. */
export async function createPrimary(options: PostgresOptions): Promise<Postgres> {
  const account = options.account ?? chooseAccount();
  const home = postgresHome(options.folder, account);
  const dataFolder = path.join(home, 'primary');
  const origin = existsSync(dataFolder) ? 'reused' : 'created';
  if (origin === 'created') await initialise(options, account, home, dataFolder);
  const again = (signal?: AbortSignal) => startServer(options, account, { home, dataFolder, signal });
  const child = await again();
  try {
    await ensureRolesAndDatabase(options.port, options.secrets);
  } catch (error) {
    await child.stop(STOP_STEPS);
    throw error;
  }
  return postgresOf(options, account, { child, again, dataFolder, origin });
}

/** Starts a replica of `primary`; copies the primary first if there is no usable replica of this name yet. */
export async function createReplica(
  options: PostgresOptions & { primary: Postgres; name?: string },
): Promise<Postgres> {
  const { primary, secrets, name = 'replica' } = options;
  const home = path.dirname(primary.dataFolder);
  const dataFolder = path.join(home, name);
  const source = { port: primary.port, user: REPLICATION_ROLE, password: secrets.replicationPassword, slot: name };
  const place = { home, dataFolder, source };
  const start = () => startStreaming(options, primary.account, place);
  // It need not stream to run again: its primary may be starting as well, and the product does not read what is old.
  const again = (signal: AbortSignal) => startServer(options, primary.account, { ...place, signal });
  const replicaOf = (child: Child, origin: Postgres['origin']) =>
    postgresOf(options, primary.account, { child, again, dataFolder, origin });
  const admin = await connectAsAdmin(primary.port, secrets);
  try {
    const known = existsSync(dataFolder);
    if (known && (await slotHoldsWal(admin, name))) {
      const child = await start().catch(() => undefined);
      if (child !== undefined) return replicaOf(child, 'reused');
    }
    await copyAsStandby(admin, primary.dataFolder, dataFolder, name, primary.account);
    return replicaOf(await start(), known ? 'rebuilt' : 'created');
  } finally {
    await admin.end();
  }
}

/** Runs initdb under a temporary name and renames the result, so that an interrupted start leaves nothing half made. */
async function initialise(options: PostgresOptions, account: Account, home: string, dataFolder: string) {
  const partial = `${dataFolder}.partial`;
  const passwordFile = path.join(home, 'initdb-password');
  rmSync(partial, { recursive: true, force: true });
  writeFileSync(passwordFile, options.secrets.adminPassword, { mode: 0o600 });
  handOver(passwordFile, account);
  try {
    await runToEnd({
      folder: options.folder,
      name: 'initdb',
      cwd: home,
      env: cleanEnvironment(),
      deadlineMs: POSTGRES_READY_MS,
      ...runAs(account, postgresPrograms(home, account).initdb, [
        `--pgdata=${partial}`,
        `--username=${ADMIN_ROLE}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // PostgreSQL's own C.UTF-8: the same sort order on every machine and after every upgrade.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        '--no-instructions',
        ...(options.durable === false ? ['--no-sync'] : []),
      ]),
    });
    renameSync(partial, dataFolder);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

type Place = { home: string; dataFolder: string; source?: ReplicationSource; signal?: AbortSignal | undefined };

/**
 * After a kill -9 it recovers from its log first, and refuses to start while a process of the killed server still has the
 * shared memory, which postmaster.pid names: so that file is never removed here.
 */
async function startServer(
  options: PostgresOptions,
  account: Account,
  { home, dataFolder, source, signal }: Place,
): Promise<Child> {
  const files = {
    'postgresql.conf': settingsFile(serverSettings(options.port, options.durable ?? true, source)),
    'pg_hba.conf': HBA_FILE,
  };
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(path.join(dataFolder, file), content, { mode: 0o600 });
    handOver(path.join(dataFolder, file), account);
  }
  return startReady(
    {
      folder: options.folder,
      name: path.basename(dataFolder),
      cwd: home,
      env: cleanEnvironment(),
      wrap: options.wrap,
      ...runAs(account, postgresPrograms(home, account).postgres, ['-D', dataFolder]),
    },
    {
      ready: ({ pid }) => isReady(dataFolder, pid),
      ...{ deadlineMs: POSTGRES_READY_MS, stopSteps: STOP_STEPS, signal },
    },
  );
}

/** A replica is ready when it streams: one that only serves old data is worse than none. */
async function startStreaming(options: PostgresOptions, account: Account, place: Place): Promise<Child> {
  const child = await startServer(options, account, place);
  const admin = await connectAsAdmin(options.port, options.secrets).catch(async (error: unknown) => {
    await child.stop(STOP_STEPS);
    throw error;
  });
  try {
    await waitForChild(child, REPLICA_STREAMING_MS, async () => {
      const { rows } = await admin.query("select from pg_stat_wal_receiver where status = 'streaming'");
      if (rows.length === 0 && HOPELESS.test(child.logTail()))
        throw new Error('the replica cannot catch up with its primary');
      return rows.length > 0;
    });
    return child;
  } catch (error) {
    await child.stop(STOP_STEPS);
    throw error;
  } finally {
    await admin.end().catch(() => undefined);
  }
}

/** Checks the eighth line of postmaster.pid, as pg_ctl does. */
function isReady(dataFolder: string, pid: number): boolean {
  try {
    const lines = readFileSync(path.join(dataFolder, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

async function slotHoldsWal(admin: pg.Client, slot: string): Promise<boolean> {
  const { rows } = await admin.query(
    "select from pg_replication_slots where slot_name = $1 and wal_status in ('reserved', 'extended')",
    [slot],
  );
  return rows.length > 0;
}

function postgresOf(
  { port, secrets }: PostgresOptions,
  account: Account,
  started: Pick<Postgres, 'child' | 'again' | 'dataFolder' | 'origin'>,
): Postgres {
  const { child } = started;
  return {
    ...{ ...started, stopSteps: STOP_STEPS, pid: child.pid, port, account },
    ...addressesOf(port, secrets),
    stop: () => child.stop(STOP_STEPS),
  };
}

/** PGDATA, PGPORT and the like in our own environment would change what these programs do. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}
