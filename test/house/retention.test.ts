import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Retention, TableRetention } from '../../src/queue/retention.ts';
import { PLATFORM_RETENTION } from '../../src/queue/retention.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { NOTES, TEST_MODULES } from '../modules.ts';
import { ROOT } from './source-graph.ts';

const PLATFORM_PAGE = 'docs/retention.md';

let on: TestDatabase;
/** By the page that says it to people. */
const stated = new Map<string, Retention>([[PLATFORM_PAGE, PLATFORM_RETENTION]]);
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  for (const { name, retention } of TEST_MODULES)
    if (retention !== undefined) stated.set(pageOf(name), (await retention()).retention);
});
afterAll(() => on.close());

test('every table has a stated retention, or a reason to be kept', async () => {
  const { rows } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'public' order by 1`.execute(on.db);
  const known = [...stated.values()].flatMap((retention) => Object.keys(retention));
  const advice =
    'say in src/modules/<noun>/retention.ts what becomes of its rows, and list that face in src/modules.ts';
  expect(rows.length).toBeGreaterThan(TEST_MODULES.length);
  expect(rows.filter(({ name }) => !known.includes(name)).map(({ name }) => `${name}: ${advice}`)).toEqual([]);
  const tables = rows.map(({ name }) => name);
  expect(known.filter((name) => !tables.includes(name))).toEqual([]);
  expect(known.length).toBe(new Set(known).size);
});

test('what is said to be deleted with another table is deleted by a foreign key', async () => {
  const { rows } = await sql<{ cascade: string }>`
    select conrelid::regclass || ' with ' || confrelid::regclass as cascade from pg_constraint
    where contype = 'f' and confdeltype = 'c'`.execute(on.db);
  const cascades = rows.map(({ cascade }) => cascade);
  const said = [...stated.values()].flatMap((retention) =>
    Object.entries(retention).flatMap(([table, one]) =>
      'deletedWith' in one ? [`${table} with ${one.deletedWith}`] : [],
    ),
  );
  expect(cascades).toContain('sessions with users');
  expect(said.filter((one) => !cascades.includes(one))).toEqual([]);
});

test('every statement that deletes is allowed to, and finds nothing in an empty database', async () => {
  const deleting = [...stated.values()].flatMap(Object.values<TableRetention>).filter((one) => 'forget' in one);
  expect(deleting.length).toBeGreaterThan(1);
  for (const { forget } of deleting) expect(await forget(on.database, new AbortController().signal)).toBe(0);
});

test('the documentation says the same as the code', () => {
  for (const [page, retention] of stated) {
    const rows = existsSync(join(ROOT, page)) ? tableRows(readFileSync(join(ROOT, page), 'utf8')) : [];
    expect(rows, `the rows of ${page}`).toEqual(Object.entries(retention).map(rowOf));
  }
});

function pageOf(module: string): string {
  return join(module === NOTES.name ? 'template' : '', 'docs', 'modules', module, 'retention.md');
}

function tableRows(page: string): string[] {
  return page.split('\n').filter((line) => line.startsWith('| `'));
}

function rowOf([table, retention]: [string, TableRetention]): string {
  const words =
    'deleted' in retention
      ? `deleted ${retention.deleted}`
      : 'kept' in retention
        ? `kept: ${retention.kept}`
        : `deleted with \`${retention.deletedWith}\``;
  return `| \`${table}\` | ${words} |`;
}
