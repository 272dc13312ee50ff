import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Db } from './database.ts';

export interface MigrationFile {
  /** Without `.sql`. */
  readonly name: string;
  readonly text: string;
  /** False where the first line is `-- no-transaction`. */
  readonly inTransaction: boolean;
}

/** The *.sql files of a folder, in the order in which they run. */
export async function migrationFiles(folder: string): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      const inTransaction = !/^-- no-transaction\s*(\n|$)/.test(text);
      return { name: name.replace(/\.sql$/, ''), text, inTransaction };
    }),
  );
}

/** Runs the file in one transaction; with `-- no-transaction`, one statement at a time, each in its own. */
export async function runFile(db: Db, file: MigrationFile): Promise<void> {
  for (const statement of file.inTransaction ? [file.text] : statementsOf(file.text)) {
    await sql.raw(statement).execute(db);
  }
}

/**
 * Splits at each semicolon that ends a line. Not a parser: PostgreSQL refuses to run statements that are left together.
 */
export function statementsOf(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, '')
    .split(/;[ \t]*(?:--.*)?$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
