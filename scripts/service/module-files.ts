/** Where a module's files are: the same few places for every noun (CONTRIBUTING.md, The house). */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export const MODULE_FOLDERS = ['src/modules', 'web/modules', 'test/modules', 'bench/modules', 'docs/modules'];

/** The files that belong to the module and to nothing else. */
export function filesOf(module: string, files: readonly string[]): string[] {
  const single = new RegExp(
    `^(?:migrations/\\d+-${module}(?:-[\\w-]+)?\\.sql|deploy/(?:prometheus/(?:rules|tests)|k8s/rules)/${module}\\.ya?ml)$`,
  );
  return files.filter(
    (file) => single.test(file) || MODULE_FOLDERS.some((folder) => file.startsWith(`${folder}/${module}/`)),
  );
}

/** The tables that a module's migrations create. */
export function tablesOf(root: string, module: string, files: readonly string[]): string[] {
  const migrations = filesOf(module, files).filter((file) => file.endsWith('.sql') && file.startsWith('migrations/'));
  return migrations.flatMap((file) =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(/^create table (?:if not exists )?(\w+)/gim)].map(
      ([, table = '']) => table,
    ),
  );
}

/** A place where one module uses another one's code or tables. */
export interface Use {
  readonly module: string;
  readonly file: string;
  readonly what: string;
}

/** Where the modules in `others` depend on `module`: through an import, a foreign key, or SQL. */
export function usesOf(root: string, module: string, others: readonly string[], files: readonly string[]): Use[] {
  const tables = tablesOf(root, module, files);
  return others.flatMap((other) =>
    filesOf(other, files).flatMap((file) => {
      if (!/\.(?:ts|js|sql)$/.test(file)) return [];
      const text = readFileSync(path.join(root, file), 'utf8');
      const what = importIn(text, module) ?? tableIn(text, tables);
      return what === undefined ? [] : [{ module: other, file, what }];
    }),
  );
}

function importIn(text: string, module: string): string | undefined {
  const specifier = new RegExp(`(?:from|import\\()\\s*'[^']*(?:modules|\\.\\.)/${module}/[^']*'`).exec(text)?.[0];
  return specifier === undefined ? undefined : `imports ${/'([^']*)'/.exec(specifier)?.[1]}`;
}

function tableIn(text: string, tables: readonly string[]): string | undefined {
  const table = tables.find((name) =>
    new RegExp(
      `\\b(?:from|join|into|update|references)\\s+${name}\\b|(?:From|Into|Table|Join)\\('${name}\\b`,
      'i',
    ).test(text),
  );
  return table === undefined ? undefined : `uses the table ${table}`;
}
