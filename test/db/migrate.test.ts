import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Client } from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { migrate, openMigrationDatabase, refuseWrongDatabase } from '../../src/db/migrate.ts';
import type { Db } from '../../src/db/schema.ts';
import { MIGRATION_BUILD_LOCK_MS, MIGRATION_LOCK_MS } from '../../src/limits.ts';
import { asAdmin, until } from '../database.ts';

test('an empty database is brought up to date once; the second run has nothing to do', async () => {
  const { db, url } = await emptyDatabase();
  const ran = await migrate(db);
  expect(ran[0]).toBe('0001-tenant-isolation');
  expect(ran).toEqual(ran.toSorted());
  expect(await migrate(db)).toEqual([]);
  await expect(refuseWrongDatabase(db, url)).resolves.toBeUndefined();
});

test('two processes that migrate at the same time: one does it, the other waits and finds it done', async () => {
  const { db, url } = await emptyDatabase();
  const other = openMigrationDatabase(url);
  onTestFinished(() => other.destroy());
  const runs = await Promise.all([migrate(db), migrate(other)]);
  expect(runs.map((names) => names.includes('0001-tenant-isolation')).sort()).toEqual([false, true]);
});

test('a migration that fails leaves nothing behind, says its name, and runs when its obstacle is gone', async () => {
  const { db } = await emptyDatabase();
  const folder = folderOf({ '0001-two': 'create table early (); create table late ()' });
  await sql`create table late (in_the_way text)`.execute(db);
  await expect(migrate(db, { folder })).rejects.toThrow(
    '0001-two failed, and nothing of it was kept: relation "late" already exists',
  );
  expect(await tables(db)).not.toContain('early');
  await sql`drop table late`.execute(db);
  expect(await migrate(db, { folder })).toEqual(['0001-two']);
});

test('a database that was migrated by a file that is gone is refused, with the name of the file and what to do', async () => {
  const { db } = await emptyDatabase();
  await migrate(db, { folder: folderOf({ '0001-one': 'create table one ()', '0002-gone': 'create table two ()' }) });
  const folder = folderOf({ '0001-one': 'create table one ()', '0003-three': 'create table three ()' });
  await expect(migrate(db, { folder })).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringMatching(
      /^The database was migrated by 0002-gone, which is not in migrations\/.*npm run reset/,
    ),
  });
  expect(await tables(db)).not.toContain('three');
});

test('each file is a transaction of its own: what ran before the one that fails is kept, and not run again', async () => {
  const { db } = await emptyDatabase();
  const folder = folderOf({ '0001-one': 'create table one ()', '0002-two': 'create table two (); select 1 / 0' });
  await expect(migrate(db, { folder })).rejects.toThrow(
    '0002-two failed, and nothing of it was kept: division by zero',
  );
  expect(await tables(db)).toEqual(expect.arrayContaining(['one']));
  expect(await tables(db)).not.toContain('two');
  writeFileSync(join(folder, '0002-two.sql'), 'create table two ()');
  expect(await migrate(db, { folder })).toEqual(['0002-two']);
});

test('the lock timeout is in force in every file, whatever the role carries; no statement timeout is', async () => {
  const { db, url } = await emptyDatabase();
  const { username, pathname } = new URL(url);
  const carries = (setting: string) =>
    asAdmin((client) => client.query(`alter role ${username} in database ${pathname.slice(1)} set ${setting}`));
  await carries('lock_timeout = 0');
  await carries('statement_timeout = 1000');
  const look = `as select name, setting from pg_settings where name in ('lock_timeout', 'statement_timeout')`;
  const folder = folderOf({
    '0001-inside': `create table seen_inside ${look}`,
    '0002-outside': `-- no-transaction\ncreate table seen_outside ${look};`,
  });
  await migrate(db, { folder });
  expect(await seen(db, 'seen_inside')).toEqual({ lock_timeout: String(MIGRATION_LOCK_MS), statement_timeout: '0' });
  expect(await seen(db, 'seen_outside')).toMatchObject({ lock_timeout: String(MIGRATION_BUILD_LOCK_MS) });
});

test('blocked by a long transaction: it gives way between its tries, so that traffic goes on, and then runs', async () => {
  const { db, url } = await emptyDatabase();
  const folder = folderOf({ '0001-table': 'create table busy (id int)' });
  await migrate(db, { folder });
  const [longest, traffic] = [await connected(url), await connected(url)];
  await longest.query('begin; select from busy'); // ACCESS SHARE until its end
  addFile(folder, '0002-column', 'create table beside (); alter table busy add column paper text');

  let tries = 0;
  const migrated = migrate(db, { folder, onBlocked: () => void tries++ });
  await until('the migration waits for the table', () => waitsForLock(traffic));
  await traffic.query('select from busy'); // queues behind the migration, which gives up although the longest goes on
  await until('the first try was given up', () => tries > 0);
  expect(await tables(traffic)).not.toContain('beside'); // all of the file is undone, not only what was blocked

  await longest.query('commit');
  expect(await migrated).toEqual(['0002-column']);
  expect(await tables(traffic)).toContain('beside');
});

test('blocked for good: after its tries it fails, says why and what to do, and leaves nothing', async () => {
  const { db, url } = await emptyDatabase();
  const folder = folderOf({ '0001-table': 'create table busy (id int)' });
  await migrate(db, { folder });
  const longest = await connected(url);
  await longest.query('begin; select from busy');
  addFile(folder, '0002-column', 'create table beside (); alter table busy add column paper text');

  const tries: object[] = [];
  const migrated = migrate(db, { folder, lockTries: 2, onBlocked: (blocked) => void tries.push(blocked) });
  await expect(migrated).rejects.toThrow(
    /^0002-column failed, and nothing of it was kept: 2 times it could not get its lock within \d+ ms \(canceling statement due to lock timeout\)\..*pg_stat_activity.*run npm run migrate again\.$/,
  );
  expect(tries).toEqual([{ migration: '0002-column', attempt: 1, waitMs: expect.any(Number) }]);
  expect(await tables(longest)).not.toContain('beside');

  await longest.query('commit');
  expect(await migrate(db, { folder })).toEqual(['0002-column']);
});

test('an index is built without a transaction while writes go on; two processes at once build it once', async () => {
  const { db, url } = await emptyDatabase();
  const folder = folderOf({ '0001-table': 'create table busy (id int)' });
  await migrate(db, { folder });
  const [longest, traffic] = [await connected(url), await connected(url)];
  await longest.query('begin; insert into busy values (1)');
  addFile(folder, '0002-index', INDEX);
  const other = openMigrationDatabase(url);
  onTestFinished(() => other.destroy());

  const runs = Promise.all([migrate(db, { folder }), migrate(other, { folder })]);
  await until('the build waits for the long transaction', () => waitsForLock(traffic));
  await traffic.query('insert into busy values (2)');
  await longest.query('commit');
  expect((await runs).flat()).toEqual(['0002-index']);
  expect(await indexes(traffic)).toEqual({ busy_by_id: true });
});

test('a build that fails names the INVALID index that it left; the next run drops it and builds it again', async () => {
  const { db } = await emptyDatabase();
  const folder = folderOf({ '0001-table': 'create table busy as select 1 as id from generate_series(1, 2)' });
  await migrate(db, { folder });
  addFile(folder, '0002-index', INDEX);
  await expect(migrate(db, { folder })).rejects.toThrow(
    /^0002-index failed outside a transaction: could not create unique index "busy_by_id" \(Key \(id\)=\(1\) is duplicated\.\)\..* Left behind INVALID.*: busy_by_id; the file drops it.* run npm run migrate again/,
  );
  expect(await indexes(db)).toEqual({ busy_by_id: false });
  await sql`delete from busy where ctid = '(0,1)'`.execute(db);
  expect(await migrate(db, { folder })).toEqual(['0002-index']);
  expect(await indexes(db)).toEqual({ busy_by_id: true });
});

test('a process does not serve from a database that lacks a migration, and says what to run', async () => {
  const { db, url } = await emptyDatabase();
  await expect(refuseWrongDatabase(db, url)).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringMatching(/^The database lacks 0001-tenant-isolation.*\. Run npm run migrate first\.$/),
  });
});

test('a process does not serve from a database that is down: the message has the host and never the password', async () => {
  const url = `postgres://app:pass-word@127.0.0.1:${await freePort()}/app`;
  const db = openMigrationDatabase(url);
  onTestFinished(() => db.destroy());
  const refused = refuseWrongDatabase(db, url);
  await expect(refused).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringMatching(/does not answer at 127\.0\.0\.1:\d+.*Is it running, and is DATABASE_URL right\?$/),
  });
  await expect(refused).rejects.not.toThrow('pass-word');
});

async function emptyDatabase(): Promise<{ db: Db; url: string }> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = new URL(inject('databaseUrl'));
  await asAdmin((client) => client.query(`create database ${name} owner ${url.username}`));
  url.pathname = `/${name}`;
  const db = openMigrationDatabase(url.href);
  onTestFinished(async () => {
    await db.destroy();
    await asAdmin((client) => client.query(`drop database ${name} with (force)`));
  });
  return { db, url: url.href };
}

const INDEX = `-- no-transaction
-- Looked up by id. Locks: none that stops a read or a write.
drop index concurrently if exists busy_by_id;
create unique index concurrently busy_by_id
  on busy (id); -- in two lines`;

/** A folder of migrations, gone after the test. */
function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tardigrade-migrations-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) addFile(folder, name, text);
  return folder;
}

function addFile(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, `${name}.sql`), text);
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // the test ends by dropping the database
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function waitsForLock(client: Client): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_locks where not granted and locktype in ('relation', 'virtualxid')
     and pid in (select pid from pg_stat_activity where datname = current_database())`,
  );
  return rows.length > 0;
}

function tables(db: Queryable): Promise<string[]> {
  return select<{ name: string }>(db, `select tablename as name from pg_tables where schemaname = 'public'`).then(
    (rows) => rows.map(({ name }) => name),
  );
}

/** Whether each is valid, by name. */
async function indexes(db: Queryable): Promise<Record<string, boolean>> {
  const rows = await select<{ name: string; valid: boolean }>(
    db,
    `select indexrelid::regclass::text as name, indisvalid as valid from pg_index where indrelid = 'busy'::regclass`,
  );
  return Object.fromEntries(rows.map(({ name, valid }) => [name, valid]));
}

async function seen(db: Queryable, table: string): Promise<Record<string, string>> {
  const rows = await select<{ name: string; setting: string }>(db, `select name, setting from ${table}`);
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

type Queryable = Db | Client;

async function select<Row extends object>(db: Queryable, text: string): Promise<Row[]> {
  if (db instanceof Client) return (await db.query<Row>(text)).rows;
  return (await sql.raw<Row>(text).execute(db)).rows;
}
