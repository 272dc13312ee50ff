/** docs/backups.md, "A dump": with PostgreSQL's own programs, which npm does not bring. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { openOperatorTools, POSTGRES_BIN, whyNoOperatorTools } from '../../scripts/embedded/operator-tools.ts';
import { chooseAccount, handOver } from '../../scripts/embedded/postgres-account.ts';
import { seed } from '../../scripts/seed.ts';
import { verifyDatabase } from '../../scripts/verify/verify-database.ts';
import { asAdmin, createTestDatabase, type TestDatabase } from '../database.ts';

const run = promisify(execFile);
const FETCH_MS = 300_000;
const SCALE = 0.02;
/** As docker-compose.yml makes it: Row-Level Security binds it, although it owns the tables. */
const OWNER_WITHOUT_BYPASS = 'dump_owner';

let source: TestDatabase;
let folder: string;
let tools: Awaited<ReturnType<typeof openOperatorTools>>;
const lacks = whyNoOperatorTools();

beforeAll(async () => {
  if (lacks !== undefined) return;
  tools = await openOperatorTools();
  folder = mkdtempSync('/var/tmp/dump-');
  handOver(folder, chooseAccount());
  source = await createTestDatabase({ replica: false });
  await seed(source.ownerUrl, { scale: SCALE });
}, FETCH_MS);
afterAll(async () => {
  await source?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

test.skipIf(lacks)(
  'the owner of the tables cannot dump them while Row-Level Security binds it, and is told why',
  async () => {
    await asAdmin(async (client) => {
      await client.query(`create role ${OWNER_WITHOUT_BYPASS} login password 'dump' in role ${ownerOf(source)}`);
    });
    onTestFinished(() => asAdmin(async (client) => void (await client.query(`drop role ${OWNER_WITHOUT_BYPASS}`))));
    const url = Object.assign(new URL(source.ownerUrl), { username: OWNER_WITHOUT_BYPASS, password: 'dump' }).href;
    await expect(program('pg_dump', '--format=custom', `--file=${join(folder, 'none.dump')}`, url)).rejects.toThrow(
      /would be affected by row-level security policy/,
    );
  },
);

test.skipIf(lacks)(
  'a dump by the superuser brings back every row, every rule and the isolation of tenants',
  async () => {
    const file = join(folder, 'tardigrade.dump');
    const admin = new URL(inject('databaseAdminUrl'));
    const database = new URL(source.ownerUrl).pathname.slice(1);
    const restored = `${database}_restored`;
    const at = (name: string) => Object.assign(new URL(admin), { pathname: `/${name}` }).href;
    await asAdmin((client) => client.query(`create database ${restored} template template0 owner ${ownerOf(source)}`));
    onTestFinished(() =>
      asAdmin(async (client) => void (await client.query(`drop database ${restored} with (force)`))),
    );

    await program('pg_dump', '--format=custom', `--file=${file}`, at(database));
    await program('pg_restore', '--exit-on-error', `--dbname=${at(restored)}`, file);

    expect((await verifyDatabase(at(restored))).filter(({ faults }) => faults.length > 0)).toEqual([]);
    const counted = (name: string) =>
      asAdmin(async (client) => {
        const { rows } = await client.query<{ table: string; rows: string; forced: boolean; policies: string }>(`
        select relname as table, relforcerowsecurity as forced,
          (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I', relname), false, true, '')))[1]::text as rows,
          (select count(*) from pg_policy where polrelid = c.oid) as policies
        from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname`);
        return rows;
      }, at(name));
    const before = await counted(database);
    expect(await counted(restored)).toEqual(before);
    expect(before.filter(({ forced }) => forced).length).toBeGreaterThan(3);
  },
);

const ownerOf = ({ ownerUrl }: TestDatabase) => new URL(ownerUrl).username;

async function program(name: string, ...args: string[]): Promise<void> {
  const { command, args: all } = tools.inside([folder], join(POSTGRES_BIN, name), args);
  await run(command, all, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' } });
}
