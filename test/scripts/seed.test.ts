import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SEED_LOGIN, type Seeded, type SeedOptions, seed } from '../../scripts/seed.ts';
import { markDatabase } from '../../scripts/staging/mark.ts';
import type { Db } from '../../src/db/schema.ts';
import { createPasswordHasher } from '../../src/http/password-hashing.ts';
import type { Module } from '../../src/modules/faces.ts';
import { MODULES, PLATFORM } from '../../src/modules.ts';
import { adminUrlOf, createTestDatabase, type TestDatabase } from '../database.ts';

const OPTIONS: SeedOptions = { scale: 0.02, now: new Date('2026-11-21T15:30:00Z') };

describe('a seeded database', () => {
  let database: TestDatabase;
  let db: Db;
  let seeded: Seeded;
  beforeAll(async () => {
    database = await createTestDatabase();
    db = database.db;
    seeded = await seed(database.ownerUrl, OPTIONS);
  });
  afterAll(() => database.close());

  test('has ten organisations, each with an owner, an admin and a viewer', async () => {
    expect(seeded).toMatchObject({ organisations: 10, users: 30 });
    expect(await count(db, 'organisations')).toBe(10);
    const roles = await all(
      db,
      sql`select role, count(distinct org_id)::int as organisations from users group by role order by role`,
    );
    expect(roles).toEqual(['admin', 'owner', 'viewer'].map((role) => ({ role, organisations: 10 })));
  });

  test('lets the owner of Water Bear Works sign in', async () => {
    const owner = await db
      .selectFrom('users')
      .innerJoin('organisations', 'organisations.id', 'users.org_id')
      .where('email', '=', SEED_LOGIN.email)
      .select(['password_hash', 'role', 'organisations.name'])
      .executeTakeFirstOrThrow();
    expect(owner).toMatchObject({ role: 'owner', name: 'Water Bear Works' });
    expect(await createPasswordHasher().verify(SEED_LOGIN.password, owner.password_hash)).toBe(true);
  });

  test('keeps every reference, though its foreign keys were not checked on the way', async () => {
    const keys = await all<{ query: string }>(
      db,
      sql`
        select format('select count(*) as broken from %s as child where row(%s) is not null and not exists (select from %s as parent where (%s) = (%s))',
          conrelid::regclass,
          (select string_agg(format('child.%I', attname), ', ') from pg_attribute where attrelid = conrelid and attnum = any (conkey)),
          confrelid::regclass,
          (select string_agg(format('child.%I', attname), ', ' order by n) from unnest(conkey) with ordinality as k (num, n) join pg_attribute on attrelid = conrelid and attnum = num),
          (select string_agg(format('parent.%I', attname), ', ' order by n) from unnest(confkey) with ordinality as k (num, n) join pg_attribute on attrelid = confrelid and attnum = num)) as query
        from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`,
    );
    expect(keys.length).toBeGreaterThanOrEqual(2);
    for (const { query } of keys)
      expect([query, (await all(db, sql.raw(query)))[0]]).toEqual([
        query,
        { broken: expect.toSatisfy((n) => Number(n) === 0) },
      ]);
  });

  test('takes new rows: the ids go on after the seeded ones', async () => {
    const organisation = await db
      .insertInto('organisations')
      .values({ name: 'New' })
      .returning('id')
      .executeTakeFirstOrThrow();
    expect(organisation.id).toBe(11);
    expect(await sequencesBehind(db)).toEqual([]);
  });

  test('is not seeded twice, and the refusal says what to do', async () => {
    const before = await count(db, 'users');
    await expect(seed(database.ownerUrl, OPTIONS)).rejects.toThrow(/Water Bear Works.*npm run reset/);
    expect(await count(db, 'users')).toBe(before);
  });
});

test('the command fills only what is marked as staging, or what the stack has made itself', async () => {
  const database = await createTestDatabase({ replica: false });
  try {
    // Of the product, without the template's module.
    const env = { ...process.env, DATABASE_URL: database.ownerUrl, DATABASE_MIGRATE_URL: '' };
    const run = () => promisify(execFile)(process.execPath, ['scripts/seed.ts', '--scale=0.02'], { env });
    await expect(run()).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The database test_\w+ is not marked as staging, so nothing is written into it/),
    });
    expect(await count(database.db, 'organisations')).toBe(0);
    await markDatabase(adminUrlOf(database));
    expect((await run()).stdout).toContain('Sign in as');
    expect(await count(database.db, 'organisations')).toBe(10);
  } finally {
    await database.close();
  }
});

test('the platform alone is seeded with organisations, users and suppressed addresses', async () => {
  const database = await createTestDatabase({ replica: false });
  try {
    expect(await seed(database.ownerUrl, { ...OPTIONS, modules: PLATFORM })).toEqual({
      ...{ organisations: 10, users: 30, suppressions: 40 },
    });
  } finally {
    await database.close();
  }
});

test('the same scale and moment give the same rows', async () => {
  const [first, second] = [await fingerprints(), await fingerprints()];
  expect(Object.values(first).filter((hash) => hash !== null).length).toBeGreaterThanOrEqual(2);
  expect(second).toEqual(first);
});

test('a seed that fails leaves nothing', async () => {
  const database = await createTestDatabase({ replica: false });
  const failing: Module = {
    name: 'failing',
    seed: async () => ({ seed: () => Promise.reject(new Error('impossible')) }),
  };
  try {
    const seeding = seed(database.ownerUrl, { ...OPTIONS, modules: [...MODULES, failing] });
    await expect(seeding).rejects.toThrow('impossible');
    expect(Object.values(await hashes(database.db)).filter((hash) => hash !== null)).toEqual([]);
  } finally {
    await database.close();
  }
});

async function fingerprints(): Promise<Record<string, string | null>> {
  const database = await createTestDatabase({ replica: false });
  try {
    await seed(database.ownerUrl, OPTIONS);
    return await hashes(database.db);
  } finally {
    await database.close();
  }
}

/** One hash per table, of all its rows, null without any; the salted hashes of the passwords are left out. */
async function hashes(db: Db): Promise<Record<string, string | null>> {
  const result: Record<string, string | null> = {};
  for (const table of await tablesOf(db)) {
    const rows = await all<{ hash: string | null }>(
      db,
      sql`select md5(string_agg(line, ';' order by line)) as hash
        from (select (to_jsonb(t) - 'password_hash')::text as line from ${sql.table(table)} t) as lines`,
    );
    result[table] = rows[0]?.hash ?? null;
  }
  return result;
}

async function tablesOf(db: Db): Promise<string[]> {
  const rows = await all<{ name: string }>(
    db,
    sql`select relname as name from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like 'kysely\\_%'`,
  );
  return rows.map(({ name }) => name);
}

/** Tables with an id that their sequence has yet to give out. */
async function sequencesBehind(db: Db): Promise<string[]> {
  const behind: string[] = [];
  for (const table of await tablesOf(db)) {
    const [row] = await all<{ behind: boolean | null }>(
      db,
      sql`select (select max((to_jsonb(t) ->> 'id')::bigint) from ${sql.table(table)} t)
        > coalesce(pg_sequence_last_value((select pg_get_serial_sequence(${table}, attname) from pg_attribute
          where attrelid = ${table}::regclass and attidentity <> '')::regclass), 0) as behind`,
    );
    if (row?.behind === true) behind.push(table);
  }
  return behind;
}

async function count(db: Db, table: string): Promise<number> {
  const [row] = await all<{ count: string }>(db, sql`select count(*) from ${sql.table(table)}`);
  return Number(row?.count);
}

async function all<R = Record<string, unknown>>(db: Db, query: ReturnType<typeof sql>): Promise<R[]> {
  return (await query.execute(db)).rows as R[];
}
