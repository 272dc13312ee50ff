/**
 * `npm run new:module -- invoices [--singular=<noun>] [--force]`: creates a module, with everything that belongs to
 * it: a migration with Row-Level Security, routes, an outbox event, a job, a page, tests, bench steps. It is a copy of
 * template/ with your noun in it. Start by changing its columns: the command prints every file that it has written.
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
const FACES = ['actions', 'routes', 'events', 'figures', 'jobs', 'retention', 'staging', 'seed'];

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
    throw new Error(`The module ${noun.plural} already exists.`);
  const written = copyTemplate(ROOT, noun, nextNumber(files), files);
  changeFile(ROOT, LIST_FILE, (list) => withEntry(list, noun.plural, FACES));
  console.log(
    `Created the module ${noun.plural}:\n${written.map((file) => `  ${file}`).join('\n')}\n  ${LIST_FILE} (its entry)`,
  );
  runSteps(ROOT, regenerationSteps([`test/modules/${noun.plural}`, 'test/db/query-plans']), (text) =>
    console.log(`  ${text}`),
  );
  console.log(
    `\nNext: change the columns in ${written.find((file) => file.startsWith('migrations/'))}, then follow the types.`,
  );
  console.log('Then run npm start to see it; it also migrates a database that an earlier npm start has created.');
}

function nextNumber(files: readonly string[]): string {
  const numbers = files.map((file) => Number(/^migrations\/(\d+)-/.exec(file)?.[1] ?? 0));
  return String(Math.max(...numbers) + 1).padStart(4, '0');
}
