import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { freePort } from '../scripts/embedded/ports.ts';
import { chooseAccount, handOver, runAs } from '../scripts/embedded/postgres-account.ts';
import { until } from './database.ts';

const INSTALLED = '/usr/lib/postgresql'; // where Debian and Ubuntu put each version

export interface OldServer {
  /** The superuser's, without a password. */
  readonly url: string;
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
}

/** The folder of the programs of the newest PostgreSQL that is installed and older than 18. */
export function oldPrograms(): string | undefined {
  if (!existsSync(INSTALLED)) return undefined;
  const versions = readdirSync(INSTALLED)
    .map(Number)
    .filter((version) => version >= 14 && version < 18);
  const bin = path.join(INSTALLED, String(Math.max(...versions)), 'bin');
  return existsSync(path.join(bin, 'initdb')) ? bin : undefined;
}

export async function startOldServer(
  bin: string,
  { initdb = [], settings = {} }: { initdb?: readonly string[]; settings?: Readonly<Record<string, string>> } = {},
): Promise<OldServer> {
  const account = chooseAccount();
  const folder = mkdtempSync('/var/tmp/tardigrade-old-postgres-');
  handOver(folder, account);
  const port = await freePort();
  const creation = runAs(account, path.join(bin, 'initdb'), [
    ...['-D', folder, '-U', 'old', '-A', 'trust', '--no-sync'],
    ...initdb,
  ]);
  execFileSync(creation.command, creation.args, { ...creation, stdio: 'ignore', cwd: '/' });
  const all = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const postgres = runAs(account, path.join(bin, 'postgres'), ['-D', folder, '-F', ...options]);
  const child = spawn(postgres.command, postgres.args, { ...postgres, stdio: 'ignore', cwd: '/' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const url = `postgres://old@127.0.0.1:${port}/postgres`;
  const [row] = await until('the old server answers', () =>
    rowsOf<{ server_version: string }>(url, 'show server_version').catch(() => undefined),
  );
  return {
    url,
    port,
    version: row?.server_version.split(' ')[0] as string,
    async stop() {
      child.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function rowsOf<R>(url: string, text: string): Promise<R[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(text)).rows as R[];
  } finally {
    await client.end();
  }
}
