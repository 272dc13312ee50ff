import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { generateTables, TABLES_FILE } from '../../scripts/generate-schema.ts';
import { createTestDatabase } from '../database.ts';

test('the types of the tables are those of the migrated database', async () => {
  const generated = await generateTables(await migrated());
  expect(
    generated === readFileSync(TABLES_FILE, 'utf8'),
    'src/db/tables.ts does not fit migrations/*.sql: run npm run generate:schema and commit what it writes',
  ).toBe(true);
});

test('a column more, a word more in a CHECK, a default or a null less: each changes the types', async () => {
  const db = await migrated();
  const before = await generateTables(db);
  const change = async (ddl: string) => {
    await sql.raw(ddl).execute(db);
    return lineAdded(before, await generateTables(db));
  };
  expect(await change('alter table teams add column colour text')).toEqual(['colour: string | null;']);
  await sql`alter table teams drop column colour`.execute(db);
  expect(
    await change(`alter table users drop constraint users_role_check,
      add constraint users_role_check check (role in ('owner', 'guest'))`),
  ).toEqual([`role: 'owner' | 'guest';`]);
  await sql`alter table users drop constraint users_role_check`.execute(db);
  expect(await change('alter table mood_days alter column answers set default 0')).toEqual(
    ['role: string;', 'answers: Generated<number>;'].toSorted(),
  );
});

async function migrated() {
  const database = await createTestDatabase({ replica: false });
  onTestFinished(() => database.close());
  return database.db;
}

function lineAdded(before: string, after: string): string[] {
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
