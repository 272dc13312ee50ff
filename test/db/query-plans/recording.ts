/** What the test files of one run write down for the last one, recorded.test.ts, to look at. */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

type Line = RecordedStatement | { readonly testFile: string };

// Given by vitest.config.ts, one per run; other configurations (the browser's) record nothing.
const folder = process.env['QUERY_RECORD'];

/** One file per process, and at once: a test that kills its own process loses nothing. */
export function writeDown(line: Line): void {
  if (folder !== undefined) appendFileSync(join(folder, `${process.pid}.jsonl`), `${JSON.stringify(line)}\n`);
}

/** Of all processes of the run, or of one. */
export function recording(pid?: number): { statements: RecordedStatement[]; testFiles: Set<string> } {
  if (folder === undefined) return { statements: [], testFiles: new Set() };
  const lines = readdirSync(folder)
    .filter((file) => pid === undefined || file === `${pid}.jsonl`)
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').trim().split('\n'))
    .map((line): Line => JSON.parse(line));
  return {
    statements: lines.filter((line) => 'sql' in line),
    testFiles: new Set(lines.flatMap((line) => ('testFile' in line ? line.testFile : []))),
  };
}
