/**
 * Runs after all other test files (vitest.config.ts). `npm run queries` runs them all and writes the queries.sql files.
 *
 * What it cannot see: a variant of a query that no test asks for (a filter, say), where another variant of the same
 * function is asked for.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { COMPOSED_SITE } from '../../../scripts/query-plans/composed.ts';
import { readSnapshot, snapshots } from '../../../scripts/query-plans/snapshots.ts';
import { printStatements, type Statement } from '../../../scripts/query-plans/statements.ts';
import { PRODUCT } from '../../../src/modules.ts';
import { recording } from './recording.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

const { statements, sentIn, testFiles } = recording();
/** npm run test:browser and npm run test:tools run the others. */
const isRunElsewhere = (file: string) =>
  /^test\/(?:browser|bench|scripts)\/|\.browser\.test\.ts$|test\/modules\/[^/]+\/(?:[^/]+\.)?bench\.test\.ts$/.test(
    file,
  );
const missed = [...filesOf('test'), ...filesOf('template/test')]
  .filter((file) => file.endsWith('.test.ts') && !isRunElsewhere(file) && !import.meta.filename.endsWith(file))
  .filter((file) => !testFiles.has(file));
const everythingRan = missed.length === 0;

const shown = statements.filter(({ site }) => site.name !== COMPOSED_SITE);

test.each(await snapshots())(
  '$file shows what is asked of PostgreSQL: no statement more and, after all tests, none less',
  async ({ file, shows }) => {
    const issued = shown
      .filter(({ sql, site }) => shows(sql, site.name))
      .map(({ sql, role, site }): Statement => ({ sql, roles: [role], sites: [site.name] }));
    const known = everythingRan ? [] : readSnapshot(file);
    if (known.length + issued.length === 0 && !existsSync(file)) return;
    await expect(
      printStatements([...known, ...issued]),
      `Other statements are issued than ${relative(ROOT, file)} shows. Look at the difference; npm run queries writes it.`,
    ).toMatchFileSnapshot(file);
  },
);

test.runIf(everythingRan)('every place in the code that executes a statement did so in a test', () => {
  expect(executions().filter((place) => !sentIn.has(place))).toEqual([]);
});

test.runIf(everythingRan)('and in one that is still there when the modules that build on it are removed', () => {
  const order = PRODUCT.map(({ name }) => name);
  /** -1 for what every service has. */
  const level = (file: string) => order.findIndex((name) => file.includes(`/modules/${name}/`));
  const onlyAbove = [...sentIn].filter(([place, files]) => [...files].every((file) => level(file) > level(place)));
  expect(onlyAbove.map(([place]) => place)).toEqual([]);
});

test('only these files speak with PostgreSQL without kysely, which the recorder watches', () => {
  const files = [...filesOf('src'), ...filesOf('workers')].filter((file) => / from 'pg'/.test(read(file)));
  expect(files.toSorted()).toEqual([
    'src/db/connection.ts', // the connections themselves
    'src/db/migrate.ts', // DDL, which is in migrations/
    'src/db/pg-internals.ts', // what pg's types do not say
    'src/db/pool.ts', // and their pool
    'src/db/replica-watch.ts', // asks the server where it is, and no table
    'src/db/server-version.ts', // asks the replica what it is
    'src/db/statement-scope.ts', // the scope: settings, and no table
  ]);
});

/** Run by the migrator, as the owner, before there is anything to plan. */
const MIGRATOR = new Set(['src/db/migrate.ts', 'src/db/migration-files.ts']);

/** Run by npm run seed, as the owner, on an empty database. */
const SEED = /^(?:template\/)?src\/modules\/[^/]+\/seed[^/]*\.ts$/;

/** `src/http/authentication.ts:114`, for each call of kysely that sends a statement. */
function executions(): string[] {
  return [...filesOf('src'), ...filesOf('workers'), ...filesOf('template/src')]
    .filter(
      (file) =>
        file.endsWith('.ts') && !MIGRATOR.has(file) && !SEED.test(file) && / from 'kysely'|\bDb\b/.test(read(file)),
    )
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
