/** A server of the lesson's own whose log is archived into a folder, with PostgreSQL's own means. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { choosePort } from '../../../scripts/embedded/ports.ts';
import { createPrimary, type Postgres } from '../../../scripts/embedded/postgres.ts';
import { chooseAccount, handOver } from '../../../scripts/embedded/postgres-account.ts';
import { copyAsStandby } from '../../../scripts/embedded/postgres-copy.ts';
import { loadSecrets } from '../../../scripts/embedded/secrets.ts';

export interface Shop {
  /** The superuser's connection. */
  readonly admin: pg.Client;
  takeOrders(count: number): Promise<void>;
  orders(): Promise<number[]>;
  backUp(): Promise<void>;
  hasBackup(): boolean;
  lastArchivedFile(): string | null;
  /** The newest but one, as a disk or a clean-up rule would lose it. */
  loseArchivedFile(): void;
  /** A server of its own with the last backup and the log after it; removed when it stops. */
  restore(name: string): Promise<Pick<Postgres, 'adminUrl' | 'stop'>>;
  loseDiskAndRestore(): Promise<number[]>;
  close(): Promise<void>;
}

const SEGMENT = /^[0-9A-F]{24}$/;
const ARCHIVED_MS = 30_000;
const POLL_MS = 20;

export async function openShop(): Promise<Shop> {
  const folder = mkdtempSync(path.join(tmpdir(), 'restore-drill-'));
  handOver(folder, chooseAccount());
  const [store, backup] = [path.join(folder, 'store'), path.join(folder, 'backup')];
  const secrets = loadSecrets(folder);
  const start = async (place: string) =>
    createPrimary({ folder: place, secrets, port: await choosePort('primary', 'any'), durable: false });
  const primary = await startArchiving(() => start(folder), store);
  const admin = await connect(primary.adminUrl);
  await admin.query('create table orders (number integer primary key generated always as identity)');

  const archived = () =>
    readdirSync(store)
      .filter((name) => SEGMENT.test(name))
      .toSorted();
  const archiveLog = async () => {
    // Without a record, nothing would be switched.
    await admin.query("select pg_logical_emit_message(false, 'end of file', '')");
    const { rows } = await admin.query<{ file: string }>('select pg_walfile_name(pg_current_wal_insert_lsn()) as file');
    await admin.query('select pg_switch_wal()');
    await until(() => archived().includes(rows[0]?.file ?? ''));
  };
  const restore: Shop['restore'] = async (name) => {
    const place = path.join(folder, name);
    const data = path.join(place, 'postgres', 'primary');
    cpSync(backup, data, { recursive: true });
    handOverAll(place, primary);
    const server = await start(place);
    return { ...server, stop: () => server.stop().then(() => rmSync(place, { recursive: true, force: true })) };
  };
  return {
    admin,
    restore,
    async takeOrders(count) {
      await admin.query(`insert into orders select from generate_series(1, ${count})`);
      await archiveLog();
    },
    orders: () => numbersOf(admin),
    async backUp() {
      await copyAsStandby(admin, primary.dataFolder, backup, 'backup', primary.account);
      rmSync(path.join(backup, 'standby.signal'));
      writeFileSync(path.join(backup, 'recovery.signal'), '');
      // Without hot_standby it takes connections only when everything has been replayed.
      const own = { archive_mode: 'off', hot_standby: 'off', restore_command: `cp ${store}/%f %p` };
      const lines = Object.entries(own).map(([setting, value]) => `${setting} = '${value}'\n`);
      appendFileSync(path.join(backup, 'postgresql.auto.conf'), lines.join(''));
      await archiveLog();
    },
    hasBackup: () => existsSync(path.join(backup, 'backup_label')),
    lastArchivedFile: () => archived().at(-1) ?? null,
    loseArchivedFile: () => rmSync(path.join(store, archived().at(-2) ?? '')),
    async loseDiskAndRestore() {
      await admin.end();
      await primary.stop();
      const restored = await restore('restored');
      const client = await connect(restored.adminUrl);
      return numbersOf(client).finally(() => client.end().then(restored.stop));
    },
    async close() {
      await admin.end().catch(() => undefined);
      await primary.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** archive_mode takes a restart. */
async function startArchiving(start: () => Promise<Postgres>, store: string): Promise<Postgres> {
  const once = await start();
  mkdirSync(store, { mode: 0o700 });
  handOver(store, once.account);
  const client = await connect(once.adminUrl);
  await client.query('alter system set archive_mode = on');
  await client.query(`alter system set archive_command = 'cp %p ${store}/%f'`);
  await client.end();
  await once.stop();
  return start();
}

function handOverAll(folder: string, { account }: Postgres): void {
  handOver(folder, account);
  for (const name of readdirSync(folder, { recursive: true })) handOver(path.join(folder, String(name)), account);
}

async function numbersOf(client: pg.Client): Promise<number[]> {
  const { rows } = await client.query<{ number: number }>('select number from orders order by number');
  return rows.map(({ number }) => number);
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined); // the query in flight fails
  await client.connect();
  return client;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + ARCHIVED_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('PostgreSQL does not archive');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
