/**
 * PgBouncer in transaction mode in front of PostgreSQL, for the tests: the product itself does not need it.
 *
 * From the PATH, else from Debian 13, else from the machine's own archive; 1.21 or later, because before that a
 * statement that was prepared on one server connection was unknown on the next.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { startChild, waitForChild } from './child.ts';
import { type FetchedProgram, fetchFromApt, knowsDebianKeys } from './from-apt.ts';
import { PGBOUNCER_READY_MS, SERVER_STOP_MS } from './limits.ts';
import { freePort } from './ports.ts';

export type PgBouncerOptions = {
  folder: string;
  /** PostgreSQL's, with the role and the password to use. */
  url: string;
  /** More lines of the [pgbouncer] section. */
  settings: Record<string, string | number>;
};

export type PgBouncer = { version: string; url: string; stop: () => Promise<void> };

/** @throws if PgBouncer is not available, or does not start (with its last log lines) */
export async function createPgBouncer({ folder, url, settings }: PgBouncerOptions): Promise<PgBouncer> {
  const { program, version } = await findPgBouncer();
  const server = new URL(url);
  const port = await freePort();
  const users = path.join(folder, 'users.txt');
  const file = path.join(folder, 'pgbouncer.ini');
  mkdirSync(folder, { recursive: true });
  writeFileSync(users, `"${server.username}" "${server.password}"\n`, { mode: 0o600 });
  writeFileSync(file, settingsFile(server, { listen_port: port, auth_file: users, ...settings }), { mode: 0o600 });
  const child = await startChild({
    folder,
    name: 'pgbouncer',
    command: program.command,
    args: [...program.args, file],
    env: { ...process.env, ...program.env },
  });
  const stop = () => child.stop([{ signal: 'SIGINT', waitMs: SERVER_STOP_MS }]);
  const bouncerUrl = Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;
  try {
    await waitForChild(child, PGBOUNCER_READY_MS, () => answers(bouncerUrl));
  } catch (error) {
    await stop();
    throw error;
  }
  return { version, url: bouncerUrl, stop };
}

function settingsFile(server: URL, settings: Record<string, string | number>): string {
  const all = {
    listen_addr: '127.0.0.1',
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    pool_mode: 'transaction',
    // PgBouncer refuses to run as root, but drops its privileges after it has read its files.
    ...(process.getuid?.() === 0 ? { user: 'nobody' } : {}),
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  return `[databases]\n* = host=${server.hostname} port=${server.port}\n[pgbouncer]\n${lines.join('\n')}\n`;
}

async function findPgBouncer(): Promise<{ program: FetchedProgram; version: string }> {
  const installed = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin']
    .map((folder) => path.join(folder, 'pgbouncer'))
    .find((file) => existsSync(file));
  const own = installed === undefined ? undefined : { command: installed, args: [], env: {} };
  if (own !== undefined && isRecent(versionOf(own))) return { program: own, version: versionOf(own) };

  const source = { package: 'pgbouncer', program: 'usr/sbin/pgbouncer' };
  const fetched = await fetchFromApt(knowsDebianKeys() ? { ...source, debianRelease: 'trixie' } : source).catch(
    (error: Error) => {
      throw new Error(
        `No PgBouncer 1.21 or later is on the PATH: install one. Fetching it with apt failed: ${error.message}`,
        {
          cause: error,
        },
      );
    },
  );
  const version = versionOf(fetched);
  if (!isRecent(version))
    throw new Error(`The archive only has PgBouncer ${version}: install 1.21 or later on the PATH`);
  return { program: fetched, version };
}

function versionOf({ command, args, env }: FetchedProgram): string {
  const said = execFileSync(command, [...args, '--version'], { env: { ...process.env, ...env }, encoding: 'utf8' });
  return /PgBouncer (\S+)/.exec(said)?.[1] ?? said;
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 21);
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
