/**
 * `npm run new:module -- invoices [--singular=invoice] [--force]`: a module of your own, in all its places: a migration
 * with Row-Level Security, routes, an outbox event, a job, a page, tests, bench steps. It is a copy of template/ with
 * your noun in it, so start by changing its columns: every file that has to follow is named below.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { MODULES } from '../src/modules.ts';
import { filesOf } from './service/module-files.ts';
import { LIST_FILE, withEntry } from './service/module-list.ts';
import { type Noun, nounOf } from './service/noun.ts';
import { changeFile, projectFiles, refuseDirty } from './service/project.ts';
import { regenerationSteps, runSteps } from './service/regenerate.ts';
import { copyTemplate } from './service/template-copy.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const FACES = ['routes', 'figures', 'jobs', 'seed'];

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { singular: { type: 'string' }, force: { type: 'boolean', default: false } },
  });
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0)
    throw new Error('Usage: npm run new:module -- <plural noun> [--singular=<noun>] [--force]');
  refuseDirty(ROOT, values.force);
  addModule(nounOf(name, values.singular));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function addModule(noun: Noun): void {
  const files = projectFiles(ROOT);
  if (MODULES.some(({ name }) => name === noun.plural) || filesOf(noun.plural, files).length > 0)
    throw new Error(`There is a module ${noun.plural} already.`);
  const written = copyTemplate(ROOT, noun, nextNumber(files), files);
  changeFile(ROOT, LIST_FILE, (list) => withEntry(list, noun.plural, FACES));
  console.log(
    `The module ${noun.plural}:\n${written.map((file) => `  ${file}`).join('\n')}\n  ${LIST_FILE} (its entry)`,
  );
  runSteps(ROOT, regenerationSteps([`test/modules/${noun.plural}`, 'test/db/query-plans']), (text) =>
    console.log(`  ${text}`),
  );
  console.log(
    `\nNext: change the columns in ${written.find((file) => file.startsWith('migrations/'))}, then follow the types.`,
  );
  console.log('npm start shows it; a database that npm start has made before is brought up to date by itself.');
}

function nextNumber(files: readonly string[]): string {
  const numbers = files.map((file) => Number(/^migrations\/(\d+)-/.exec(file)?.[1] ?? 0));
  return String(Math.max(...numbers) + 1).padStart(4, '0');
}
