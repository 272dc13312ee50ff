import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { generateTables } from '../../scripts/generate-schema.ts';
import { ownersIn } from '../../scripts/table-owners.ts';
import { projectFile } from '../../src/files.ts';
import { createTestDatabase } from '../database.ts';

test('the types of the tables are those of the migrated database', async () => {
  for (const [file, text] of await generateTables(await migrated())) {
    expect(
      text === readFileSync(projectFile(file), 'utf8'),
      `${file} does not fit migrations/*.sql: run npm run generate:schema and commit what it writes`,
    ).toBe(true);
  }
});

test('a column more, a word more in a CHECK, a default or a null less: each changes the types', async () => {
  const db = await migrated();
  await sql`create table books (title text, shelf text check (shelf in ('low', 'high')))`.execute(db);
  let tables = await platformTables(db);
  const change = async (ddl: string) => {
    const before = tables;
    await sql.raw(ddl).execute(db);
    tables = await platformTables(db);
    return linesAdded(before, tables);
  };
  expect(await change('alter table books add column colour text')).toEqual(['colour: string | null;']);
  expect(
    await change(`alter table books drop constraint books_shelf_check,
      add constraint books_shelf_check check (shelf in ('low', 'high', 'far'))`),
  ).toEqual([`shelf: 'low' | 'high' | 'far' | null;`]);
  expect(await change('alter table books alter column title set not null')).toEqual(['title: string;']);
  expect(await change(`alter table books alter column title set default ''`)).toEqual(['title: Generated<string>;']);
});

test('a JSON column has the shape that its comment says, and no shape without one', async () => {
  const db = await migrated();
  await sql`create table books (papers jsonb not null default '[]', extra json)`.execute(db);
  expect(await platformTables(db)).toContain('extra: JsonOf<unknown> | null;\n  papers: Generated<JsonOf<unknown>>;');
  await sql`comment on column books.papers is 'json: { page: number; text: string }[]'`.execute(db);
  expect(await platformTables(db)).toContain('papers: Generated<JsonOf<{ page: number; text: string }[]>>;');
});

test('a table belongs to the module that its migration is named after', () => {
  const files = Object.entries({
    '0001-accounts': 'create table users (id int);',
    '0002-books': '-- create table shelves (id int);\ncreate table books (id int);\ncreate index on books (id);',
    '0003-books-on-loan': 'create table if not exists loans (id int);',
    '0004-bookshelves': 'create table shelves (id int);',
  }).map(([name, text]) => ({ name, text, inTransaction: true }));
  expect(Object.fromEntries(ownersIn(files, ['books', 'loans']))).toEqual({ books: 'books', loans: 'books' });
  expect(Object.fromEntries(ownersIn(files, ['books', 'books-on-loan']))).toEqual({
    books: 'books',
    loans: 'books-on-loan',
  });
});

async function migrated() {
  const database = await createTestDatabase({ replica: false });
  onTestFinished(() => database.close());
  return database.db;
}

/** A table that no migration makes counts as the platform's. */
async function platformTables(db: Parameters<typeof generateTables>[0]): Promise<string> {
  return (await generateTables(db)).get('src/db/tables.ts') ?? '';
}

function linesAdded(before: string, after: string): string[] {
  const known = before.split('\n');
  return after
    .split('\n')
    .filter((line, index) => line !== known[index] && count(after, line) > count(before, line))
    .map((line) => line.trim())
    .toSorted();
}

function count(text: string, line: string): number {
  return text.split('\n').filter((other) => other === line).length;
}
