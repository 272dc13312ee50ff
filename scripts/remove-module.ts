/**
 * `npm run remove:module -- campaigns [--force]`: takes a module away, with everything that lies under its name. Refuses
 * while another module stands on it, and names that one.
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
    '\nA database that has the tables keeps them, and refuses to start without their migration: npm run reset empties the\n' +
      'embedded one. Where they hold real data, keep the migration and add one that drops them.',
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
