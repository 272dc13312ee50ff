/** Which module a table belongs to: the one that the migration which creates the table is named after. */
import { readFileSync } from 'node:fs';
import { type MigrationFile, migrationFiles, statementsOf } from '../src/db/migration-files.ts';
import { projectFile } from '../src/files.ts';
import { modulesWithTemplate, TEMPLATE_MIGRATION, TEMPLATE_MODULE } from './template.ts';

/** Product modules and the template's: a table that is not in here is the platform's. */
export async function tableOwners(): Promise<Map<string, string>> {
  const names = modulesWithTemplate();
  const files = await migrationFiles(projectFile('migrations'));
  if (!names.includes(TEMPLATE_MODULE)) return ownersIn(files, names);
  const text = readFileSync(TEMPLATE_MIGRATION, 'utf8');
  return ownersIn([...files, { name: `0000-${TEMPLATE_MODULE}`, text, inTransaction: true }], names);
}

/** `0004-loans.sql` and `0009-loans-by-reader.sql` are of the module `loans`, where there is no module `loans-by-reader`. */
export function ownersIn(files: readonly MigrationFile[], modules: readonly string[]): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { name, text } of files) {
    const subject = `${name.replace(/^\d+-/, '')}-`;
    const [owner] = modules
      .filter((module) => subject.startsWith(`${module}-`))
      .toSorted((a, b) => b.length - a.length);
    if (owner === undefined) continue;
    for (const statement of statementsOf(text)) {
      const table = /^create (?:unlogged )?table (?:if not exists )?"?(\w+)/i.exec(statement)?.[1];
      if (table !== undefined) owners.set(table, owner);
    }
  }
  return owners;
}
