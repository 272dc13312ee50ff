/**
 * The files that show the statements of the product: one of the platform, and test/modules/<noun>/queries.sql of each
 * product module, so that a module that is deleted takes its statements with it.
 *
 * A statement is shown with the last module of the list that sends it or owns one of its tables. The summary of the
 * dashboard is in none of them: it is composed of the figures of all modules, and planned as it is composed
 * (composed.ts).
 */
import { existsSync, readFileSync } from 'node:fs';
import { projectFile } from '../../src/files.ts';
import { tableOwners } from '../table-owners.ts';
import { moduleFile, modulesWithTemplate } from '../template.ts';
import { parseStatements, type Statement } from './statements.ts';

export interface Snapshot {
  readonly file: string;
  /** Whether a statement that `site` sends is shown there. */
  readonly shows: (sql: string, site: string) => boolean;
}

export async function snapshots(): Promise<Snapshot[]> {
  const owners = await tableOwners();
  const names = modulesWithTemplate();
  return [undefined, ...names].map((module) => ({
    file:
      module === undefined
        ? projectFile('test', 'db', 'query-plans', 'queries.sql')
        : projectFile(moduleFile('test', module, 'queries.sql')),
    shows: (sql, site) => ownerOf(sql, site, owners, names) === module,
  }));
}

/** Those that PostgreSQL plans, of all files that are there. SAVEPOINT and the like have no plan. */
export async function recordedStatements(): Promise<Statement[]> {
  const shown = (await snapshots()).flatMap(({ file }) => readSnapshot(file));
  return shown.filter(({ sql }) => !/^(?:savepoint|release|rollback)\b/i.test(sql));
}

export function readSnapshot(file: string): Statement[] {
  return existsSync(file) ? parseStatements(readFileSync(file, 'utf8')) : [];
}

/** Undefined for the platform. `modules` in the order in which they stand on each other. */
export function ownerOf(
  sql: string,
  site: string,
  owners: ReadonlyMap<string, string>,
  modules: readonly string[],
): string | undefined {
  const sender = /^(?:template\/)?src\/modules\/([^/]+)\//.exec(site)?.[1];
  const touched = new Set([sender, ...tablesIn(sql).map((table) => owners.get(table))]);
  return modules.findLast((module) => touched.has(module));
}

/** Every name that is where a table can be; names of CTEs and functions are among them. */
function tablesIn(sql: string): string[] {
  const lists = sql.matchAll(
    /\b(?:from|join|into|update|using)\s+((?:"?\w+"?(?:\s+(?:as\s+)?"?\w+"?)?\s*,\s*)*"?\w+)/gi,
  );
  return [...lists].flatMap(([, list = '']) => list.split(',').map((entry) => /\w+/.exec(entry)?.[0] ?? ''));
}
