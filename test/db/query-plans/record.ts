/**
 * Imported by test/database.ts: writes down every statement that the product's own code sends, with the function that
 * sends it and the role it ran as. Tests send statements of their own over the same connections: who calls kysely tells
 * them apart. It sees what runs in the test's own process; workers that a test starts as processes run the same code.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DefaultQueryExecutor } from 'kysely';
import { Client } from 'pg';
import type { StatementRole } from '../../../scripts/query-plans/statements.ts';
import { ReadDatabase } from '../../../src/db/read-database.ts';
import { ScopedQuery, type Terms } from '../../../src/db/statement-scope.ts';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { runningTestFile, type Site, writeDown } from './recording.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const issuing = new AsyncLocalStorage<{ sql: string; site: Site }>();
const known = new Set<string>();

/** What all queries that kysely builds go through, and what those that are built once go through instead. */
watch(Object.getPrototypeOf(DefaultQueryExecutor.prototype) as Executor);
watch(ReadDatabase.prototype as Executor);

type Executor = { executeQuery(query: { sql: string }, options?: unknown): Promise<unknown> };

function watch(executor: Executor): void {
  const { executeQuery } = executor;
  executor.executeQuery = function (query, options) {
    const run = () => executeQuery.call(this, query, options);
    const site = callSite();
    return site === undefined ? run() : issuing.run({ sql: query.sql, site }, run);
  };
}

const connection = Client.prototype as unknown as { query(...parameters: unknown[]): unknown };
const { query } = connection;
connection.query = function (this: object, ...parameters: unknown[]) {
  const issued = issuing.getStore();
  const [asked] = parameters;
  // Only the product's own statements have a scope; what else goes over them (BEGIN, the scope) was not issued.
  if (issued !== undefined && asked instanceof ScopedQuery && asked.text === issued.sql && !isAtRandom()) {
    const statement = { ...issued, role: roleOf(asked.terms) };
    const key = JSON.stringify([runningTestFile(), statement]);
    if (!known.has(key)) writeDown(statement);
    known.add(key);
  }
  return query.apply(this, parameters);
};

/** Which variants of a query it asks for is chance, and differs in a service with other modules. */
function isAtRandom(): boolean {
  return runningTestFile() === join('test', 'http', 'fuzz.test.ts');
}

function roleOf(terms: Terms | undefined): StatementRole {
  if (terms === undefined) return 'login';
  return terms.scope === EVERY_ORGANISATION ? 'system' : 'tenant';
}

const FRAME = /^\s+at (?:async )?(?:(.+) \()?(?:file:\/\/)?(\/[^():]+):(\d+):\d+\)?$/;

/** Frames that only hand on what somebody else asks: libraries, this file, and prepareQuery. */
const PASSED_ON = /\/node_modules\/|query-plans\/record\.ts|src\/db\/prepared-statements\.ts/;

/** The function that asked kysely, if it is the product's. */
function callSite(): Site | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = limit;
  const first = frames.findIndex((frame) => !PASSED_ON.test(frame));
  const [, , path, line] = FRAME.exec(frames[first] ?? '') ?? [];
  if (path === undefined) return undefined;
  const file = relative(ROOT, path);
  if (!/^(?:(?:template\/)?src|workers)\//.test(file)) return undefined;
  return { name: `${file} ${functionName(path, frames.slice(first))}`.trim(), line: `${file}:${line}` };
}

/** The exported function whose work it is: a helper of the same file is named after its caller. */
function functionName(path: string, frames: string[]): string {
  const names: string[] = [];
  for (const frame of frames) {
    const [, name = '', file] = FRAME.exec(frame) ?? [];
    if (file !== path) break;
    names.push(name.replace(/^(?:Object|Function|Module)\./, ''));
  }
  const exported = exportsOf(path);
  return names.find((name) => exported.has(name)) ?? names[0] ?? '';
}

const exportsByFile = new Map<string, Set<string>>();

function exportsOf(path: string): Set<string> {
  let names = exportsByFile.get(path);
  if (names === undefined) {
    const found = readFileSync(path, 'utf8').matchAll(/^export (?:async )?function\*? (\w+)/gm);
    names = new Set([...found].map(([, name]) => name as string));
    exportsByFile.set(path, names);
  }
  return names;
}
