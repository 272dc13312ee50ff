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

/** In a transaction as a whole; else one statement after the other, each of which is its own transaction. */
export async function runFile(db: Db, file: MigrationFile): Promise<void> {
  for (const statement of file.inTransaction ? [file.text] : statementsOf(file.text)) {
    await sql.raw(statement).execute(db);
  }
}

/** Ends at each semicolon that ends a line. No parser: what is wrongly left together PostgreSQL refuses to run as one. */
export function statementsOf(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, '')
    .split(/;[ \t]*(?:--.*)?$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
