/** A PostgreSQL of the tools, on a data folder that something else has made, reachable over a socket file only. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { type Child, startChild, waitForChild } from '../embedded/child.ts';
import { serverSettings } from '../embedded/postgres-settings.ts';
import { readControlData } from './control-data.ts';
import { RECOVERY_MS, SERVER_READY_MS, SERVER_STOP_MS } from './limits.ts';
import type { Tools } from './tools.ts';

export interface ServerOptions {
  readonly tools: Tools;
  /** For its settings, its log and its socket file; short, because the socket's path is limited to 107 characters. */
  readonly folder: string;
  readonly name: string;
  readonly dataFolder: string;
  readonly port: number;
  /** Over those of a nano. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How its superuser is called. */
  readonly user: string;
  readonly shared: readonly string[];
}

export interface Server {
  readonly child: Child;
  /** The superuser's, for a database; whoever can open the folder needs no password. */
  url(database: string): string;
  stop(): Promise<void>;
}

/** Resolves when it takes connections; a server that recovers from a backup may still be replaying then. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { tools, folder, name, dataFolder, port, user, shared } = options;
  const settings = path.join(folder, `${name}.conf`);
  const hba = path.join(folder, `${name}.hba`);
  writeFileSync(hba, 'local all all trust\n');
  writeFileSync(settings, '');
  // On the command line, because what the primary was told by ALTER SYSTEM is in the data folder and beats any file.
  const told = { ...NANO, ...(await asPrimaryHad(options)), ...options.settings, ...own(options, settings, hba) };
  const line = tools.command(
    path.join(tools.bin, 'postgres'),
    ['-D', dataFolder, ...Object.entries(told).flatMap(([setting, value]) => ['-c', `${setting}=${value}`])],
    shared,
  );
  const child = await startChild({ folder, name, ...line, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } });
  const url = (database: string) =>
    `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(folder)}`;
  const stop = () => child.stop([{ signal: 'SIGINT', waitMs: SERVER_STOP_MS }]);
  try {
    await waitForChild(child, SERVER_READY_MS, () => answers(url('postgres')));
  } catch (error) {
    await stop();
    throw error;
  }
  return { child, url, stop };
}

/** Resolves when everything has been replayed and the server takes writes. */
export async function untilRecovered(server: Server): Promise<void> {
  await waitForChild(server.child, RECOVERY_MS, () =>
    answers(server.url('postgres'), 'select 1 where not pg_is_in_recovery()'),
  );
}

const NANO = Object.fromEntries(serverSettings(0, true).map(([name, value]) => [name, String(value)]));

function own({ folder, port }: ServerOptions, settings: string, hba: string): Record<string, string> {
  return {
    config_file: settings,
    hba_file: hba,
    listen_addresses: '',
    port: String(port),
    unix_socket_directories: folder,
    ssl: 'off',
    logging_collector: 'off',
    log_destination: 'stderr',
  };
}

/** A server in recovery refuses to start with less of these than the primary had when it wrote the log. */
async function asPrimaryHad({ tools, dataFolder, shared }: ServerOptions): Promise<Record<string, string>> {
  const said = [...(await readControlData(tools, dataFolder, shared))].filter(([name]) =>
    /^max_\w+ setting$/.test(name),
  );
  return Object.fromEntries(
    said.map(([name, value]) => [
      name
        .replace(' setting', '')
        .replace('prepared_xacts', 'prepared_transactions')
        .replace('locks_per_xact', 'locks_per_transaction'),
      value,
    ]),
  );
}

async function answers(url: string, question = 'select 1'): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(question)).rows.length > 0;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
