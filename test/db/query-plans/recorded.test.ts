/**
 * Runs after all other test files (vitest.config.ts). `npm run queries` runs them all and writes queries.sql.
 *
 * What it cannot see: a variant of a query that no test asks for (a filter, say), where another variant of the same
 * function is asked for.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseStatements, printStatements, type Statement } from '../../../scripts/query-plans/statements.ts';
import { recording } from './recording.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const SNAPSHOT = join(import.meta.dirname, 'queries.sql');

const { statements, testFiles } = recording();
const missed = filesOf('test')
  .filter(
    (file) => file.endsWith('.test.ts') && !file.startsWith('test/browser/') && !import.meta.filename.endsWith(file),
  )
  .filter((file) => !testFiles.has(file));
const everythingRan = missed.length === 0;

test('queries.sql shows what the product asks PostgreSQL: no statement more and, after all tests, none less', async () => {
  const issued = statements.map(({ sql, role, site }): Statement => ({ sql, roles: [role], sites: [site.name] }));
  const known = everythingRan ? [] : parseStatements(readFileSync(SNAPSHOT, 'utf8'));
  await expect(
    printStatements([...known, ...issued]),
    'The product issues other statements than queries.sql shows. Look at the difference; npm run queries writes it.',
  ).toMatchFileSnapshot(SNAPSHOT);
});

test.runIf(everythingRan)('every place in the code that executes a statement did so in a test', () => {
  const seen = new Set(statements.map(({ site }) => site.line));
  expect(executions().filter((place) => !seen.has(place))).toEqual([]);
});

test('only these files speak with PostgreSQL without kysely, which the recorder watches', () => {
  const files = [...filesOf('src'), ...filesOf('workers')].filter((file) => / from 'pg'/.test(read(file)));
  expect(files.toSorted()).toEqual([
    'src/db/database.ts', // the connections themselves
    'src/db/migrate.ts', // DDL, which is in migrations/
    'src/db/replica-watch.ts', // asks the server where it is, and no table
    'src/db/tenant-isolation.ts', // the scope: two settings, and no table
  ]);
});

/** Run by the migrator, as the owner, before there is anything to plan. */
const MIGRATOR = new Set(['src/db/migrate.ts', 'src/db/migration-files.ts']);

/** `src/modules/campaigns/ledger.ts:114`, for each call of kysely that sends a statement. */
function executions(): string[] {
  return [...filesOf('src'), ...filesOf('workers')]
    .filter((file) => file.endsWith('.ts') && !MIGRATOR.has(file) && / from 'kysely'|\bDb\b/.test(read(file)))
    .flatMap((file) => {
      const text = read(file);
      const calls = text.matchAll(/\.(?:execute(?:TakeFirst(?:OrThrow)?)?|stream)\(/g);
      return [...calls]
        .filter(({ index }) => !/(?:ransaction|connection|commit|rollback)\(\)\s*$/.test(text.slice(0, index)))
        .map(({ index }) => `${file}:${text.slice(0, index).split('\n').length}`);
    });
}

function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));
}

function read(file: string): string {
  return /\.ts$/.test(file) ? readFileSync(join(ROOT, file), 'utf8') : '';
}
