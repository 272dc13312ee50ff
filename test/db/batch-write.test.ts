import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenByKey, givenRows } from '../../src/db/batch-write.ts';
import type { Db } from '../../src/db/schema.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';

const COLUMNS = { email: 'text', number: 'integer' } as const;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
  await sql`create table letters (email text primary key, number integer not null)`.execute(database.db);
});
afterAll(() => database.close());

test('every type arrives as what it is, null included', async () => {
  const rows = [
    { key: 'a', big: 9_007_199_254_740_991, small: -7, yes: true, at: '2026-11-21T06:02:17.123456Z' },
    { key: 'it\'s "quoted", {braced} \\ and 🐻', big: null, small: null, yes: null, at: null },
  ];
  const given = givenRows<Record<string, unknown>>(rows, {
    key: 'text',
    big: 'bigint',
    small: 'integer',
    yes: 'boolean',
    at: 'timestamptz',
  });
  expect((await sql`select * from ${given}`.execute(database.db)).rows).toEqual(rows);
});

test('a row of nothing is no row', async () => {
  expect((await sql`select * from ${givenRows(letters(0), COLUMNS)}`.execute(database.db)).rows).toEqual([]);
});

test('rows go in sorted by the first column, numbers as numbers, and the given array stays as it was', async () => {
  const rows = [10, 9, 100, 1].map((number) => ({ number, email: `${number}` }));
  const given = givenRows(rows, { number: 'integer', email: 'text' });
  const result = await sql<{ number: number }>`select number from ${given}`.execute(database.db);
  expect(result.rows.map(({ number }) => number)).toEqual([1, 9, 10, 100]);
  expect(rows.map(({ number }) => number)).toEqual([10, 9, 100, 1]);
});

test('the text of the statement does not depend on the number of rows: one plan serves all', () => {
  const text = (count: number) => sql`select * from ${givenRows(letters(count), COLUMNS)}`.compile(database.db);
  expect(text(3).sql).toBe(text(4_000).sql);
  expect(text(4_000).parameters).toHaveLength(2);
});

test('more rows than a VALUES list could hold parameters for', async () => {
  const rows = letters(70_000);
  const { numAffectedRows } = await write(database.db, rows);
  expect(numAffectedRows).toBe(70_000n);
  await sql`truncate letters`.execute(database.db);
});

test('column names are quoted: they cannot end the expression', () => {
  const odd = givenRows([{ 'a") --': 1 }], { 'a") --': 'integer' });
  expect(sql`select * from ${odd}`.compile(database.db).sql).toContain('given ("a"") --")');
});

test('two writers of the same rows in opposite order wait for each other instead of deadlocking', async () => {
  const forward = letters(2_000);
  const backward = forward.toReversed();
  await write(database.db, forward);
  const deadlocksBefore = await deadlocks();
  for (let round = 0; round < 10; round++) {
    // Straight to the pool, without the retry that would hide a deadlock.
    await Promise.all([write(database.db, forward), write(database.db, backward), write(database.db, forward)]);
  }
  expect(await deadlocks()).toBe(deadlocksBefore);
  const { rows } = await sql<{ least: number }>`select min(number) as least from letters`.execute(database.db);
  expect(rows[0]?.least).toBe(30);
});

test('an update gives each row the values of its own key, of every type and null, and leaves the others', async () => {
  await sql`create table parcels (id bigint primary key, word text, big bigint, small int, yes boolean, real double precision, at timestamptz)`.execute(
    database.db,
  );
  await sql`insert into parcels (id, word) select n, 'old' from generate_series(1, 4) n`.execute(database.db);
  const at = '2026-11-21T06:02:17.123456Z';
  const rows = [
    {
      id: 3,
      word: 'it\'s "quoted", {braced} \\ and 🐻',
      big: 9_007_199_254_740_991,
      small: -7,
      yes: true,
      real: 0.1,
      at,
    },
    { id: 1, word: null, big: null, small: null, yes: null, real: null, at: null },
    { id: 99, word: 'nobody', big: 1, small: 1, yes: false, real: 1, at },
  ];
  const changes = givenByKey<Record<string, unknown>>(rows, {
    id: 'bigint',
    word: 'text',
    big: 'bigint',
    small: 'integer',
    yes: 'boolean',
    real: 'double precision',
    at: 'timestamptz',
  });
  await sql`
    update parcels p set (word, big, small, yes, real, at) = (
      select given.word, given.big, given.small, given.yes, given.real, given.at from ${changes.of(sql`p.id`)}
    ) where p.id = any(${changes.keys})`.execute(database.db);
  const nothing = { big: null, small: null, yes: null, real: null, at: null };
  expect((await sql`select * from parcels order by id`.execute(database.db)).rows).toEqual([
    rows[1],
    { id: 2, word: 'old', ...nothing },
    rows[0],
    { id: 4, word: 'old', ...nothing },
  ]);
});

test('the text of an update by key does not depend on the number of rows, and no rows change nothing', async () => {
  const changesOf = (count: number) => {
    const rows = Array.from({ length: count }, (_, n) => ({ id: n, word: 'new' }));
    const changes = givenByKey(rows, { id: 'bigint', word: 'text' });
    return sql`update parcels p set word = (select given.word from ${changes.of(sql`p.id`)}) where p.id = any(${changes.keys})`;
  };
  expect(changesOf(3).compile(database.db).sql).toBe(changesOf(400).compile(database.db).sql);
  expect((await changesOf(0).execute(database.db)).numAffectedRows).toBe(0n);
});

function letters(count: number) {
  return Array.from({ length: count }, (_, n) => ({ email: `${n}@example.test`, number: 0 }));
}

function write(db: Db, rows: { email: string; number: number }[]) {
  return sql`
    insert into letters select email, number from ${givenRows(rows, COLUMNS)}
    on conflict (email) do update set number = letters.number + 1`.execute(db);
}

async function deadlocks(): Promise<number> {
  const { rows } = await sql<{ deadlocks: number }>`
    select deadlocks from pg_stat_database where datname = current_database()`.execute(database.db);
  return rows[0]?.deadlocks ?? Number.NaN;
}
