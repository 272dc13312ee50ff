/**
 * `npm run remove:module -- campaigns [--force]`: removes a module and everything that belongs to it. Refuses, and
 * names the modules, if others depend on it.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { refuseDirty } from './service/project.ts';
import { regenerationSteps, runSteps } from './service/regenerate.ts';
import { removeModules } from './service/remove.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false } },
  });
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new Error('Usage: npm run remove:module -- <module> [--force]');
  refuseDirty(ROOT, values.force);
  const say = (text: string) => console.log(text);
  const steps = removeModules(ROOT, [name], say);
  runSteps(ROOT, [...steps, ...regenerationSteps(['test/modules/dashboard', 'test/db/query-plans'])], (text) =>
    say(`  ${text}`),
  );
  console.log(
    '\nExisting databases still have its tables, and refuse to start without their migration: npm run reset empties the\n' +
      'embedded one. If the tables contain real data, keep the migration and add one that drops them.',
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
