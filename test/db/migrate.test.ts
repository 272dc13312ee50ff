import { randomBytes } from 'node:crypto';
import getPort from 'get-port';
import { type Kysely, sql } from 'kysely';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { Db } from '../../src/db/database.ts';
import { migrate, openMigrationDatabase, refuseWrongDatabase } from '../../src/db/migrate.ts';
import { asAdmin } from '../database.ts';

test('an empty database is brought up to date once; the second run has nothing to do', async () => {
  const { db, url } = await emptyDatabase();
  const ran = await migrate(db);
  expect(ran[0]).toBe('0001-initial');
  expect(ran).toEqual(ran.toSorted());
  expect(await migrate(db)).toEqual([]);
  await expect(refuseWrongDatabase(db, url)).resolves.toBeUndefined();
});

test('two processes that migrate at the same time: one does it, the other waits and finds it done', async () => {
  const { db, url } = await emptyDatabase();
  const other = openMigrationDatabase(url);
  onTestFinished(() => other.destroy());
  const runs = await Promise.all([migrate(db), migrate(other)]);
  expect(runs.map((names) => names.includes('0001-initial')).sort()).toEqual([false, true]);
});

test('a migration that fails leaves nothing behind, says its name, and runs when its obstacle is gone', async () => {
  const { db } = await emptyDatabase();
  await sql`create table outbox (in_the_way text)`.execute(db); // a late table of the first migration
  await expect(migrate(db)).rejects.toThrow(
    '0001-initial failed, and nothing of it was kept: relation "outbox" already exists',
  );
  expect(await tables(db)).not.toContain('organisations');
  await sql`drop table outbox`.execute(db);
  expect(await migrate(db)).toContain('0001-initial');
});

test('a process does not serve from a database that lacks a migration, and says what to run', async () => {
  const { db, url } = await emptyDatabase();
  await expect(refuseWrongDatabase(db, url)).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringMatching(/^The database lacks 0001-initial.*\. Run npm run migrate first\.$/),
  });
});

test('a process does not serve from a database that is down: the message has the host and never the password', async () => {
  const url = `postgres://app:pass-word@127.0.0.1:${await getPort()}/app`;
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

async function tables(db: Kysely<never> | Db): Promise<string[]> {
  const { rows } = await sql<{
    name: string;
  }>`select tablename as name from pg_tables where schemaname = 'public'`.execute(db);
  return rows.map(({ name }) => name);
}
