/** What the test files of one run write down for the last one, recorded.test.ts, to look at. */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import type { StatementRole } from '../../../scripts/query-plans/statements.ts';

export interface Site {
  /** `src/http/authentication.ts create` */
  readonly name: string;
  /** `src/http/authentication.ts:114`: where `execute` is called. */
  readonly line: string;
}

export interface RecordedStatement {
  readonly sql: string;
  readonly role: StatementRole;
  readonly site: Site;
}

/** Each file that a process runs begins with its name. */
type Line = RecordedStatement | { readonly testFile: string };

const ROOT = join(import.meta.dirname, '..', '..', '..');
// Given by vitest.config.ts, one per run; other configurations (the browser's) record nothing.
const folder = process.env['QUERY_RECORD'];

/** One file per process, and at once: a test that kills its own process loses nothing. */
export function writeDown(line: Line): void {
  if (folder !== undefined) appendFileSync(join(folder, `${process.pid}.jsonl`), `${JSON.stringify(line)}\n`);
}

export interface Recording {
  readonly statements: readonly RecordedStatement[];
  /** By the line that executes a statement: the test files in which it did. */
  readonly sentIn: ReadonlyMap<string, ReadonlySet<string>>;
  readonly testFiles: ReadonlySet<string>;
}

/** The test file that runs in this process: a process runs several, one after the other. */
export function runningTestFile(): string {
  return relative(ROOT, expect.getState().testPath ?? '');
}

/** Of the whole run, or of one test file. */
export function recording(only?: string): Recording {
  const files = folder === undefined ? [] : readdirSync(folder);
  const statements: RecordedStatement[] = [];
  const sentIn = new Map<string, Set<string>>();
  const testFiles = new Set<string>();
  for (const file of files) {
    let testFile = '';
    for (const text of readFileSync(join(folder as string, file), 'utf8')
      .trim()
      .split('\n')) {
      const line = JSON.parse(text) as Line;
      if ('testFile' in line) {
        testFile = line.testFile;
        testFiles.add(testFile);
        continue;
      }
      if (only !== undefined && testFile !== only) continue;
      statements.push(line);
      sentIn.set(line.site.line, (sentIn.get(line.site.line) ?? new Set()).add(testFile));
    }
  }
  return { statements, sentIn, testFiles };
}
