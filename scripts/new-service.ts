/**
 * `npm run new:service -- --name="Acme Invoices" [--keep-sample] [--force]`: turns this checkout into your own service.
 * Renames it everywhere, removes the sample domain (unless --keep-sample) and regenerates files. What remains: sign-in,
 * operations, an empty dashboard, and the processes api, mailer and chat.
 */
import { readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PRODUCT } from '../src/modules.ts';
import { withoutSample } from './service/documents.ts';
import { changeFile, projectFiles, refuseDirty } from './service/project.ts';
import { regenerationSteps, runSteps, type Step } from './service/regenerate.ts';
import { removeModules } from './service/remove.ts';
import { renamed, type ServiceName, serviceNameOf } from './service/rename.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/** The license names its authors, and the results were measured on the original product. */
const KEPT = /^LICENSE$|^bench\/results\/|^package-lock\.json$/;
const OWN_FILES = ['scripts/new-service.ts', 'scripts/service/rename.ts', 'test/scripts/service/rename.test.ts'];
const BINARY = /\.(?:png|jpg|ico|woff2)$/;

try {
  const { values } = parseArgs({
    options: {
      name: { type: 'string' },
      'keep-sample': { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
    },
  });
  if (values.name === undefined)
    throw new Error('Usage: npm run new:service -- --name="Acme Invoices" [--keep-sample] [--force]');
  const name = serviceNameOf(values.name);
  refuseDirty(ROOT, values.force);
  const steps = values['keep-sample'] ? [] : removeSample();
  rename(name);
  removeItself();
  runSteps(ROOT, [...steps, ...regenerationSteps(['test/modules/dashboard', 'test/db/query-plans'])], (text) =>
    console.log(`  ${text}`),
  );
  console.log(
    `\nThis is ${name.title} now. Run npm start to see it, then add a module: npm run new:module -- invoices`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function removeSample(): Step[] {
  const steps = removeModules(
    ROOT,
    PRODUCT.map((module) => module.name),
    (text) => console.log(text),
  );
  for (const file of projectFiles(ROOT).filter((file) => file.endsWith('.md'))) changeFile(ROOT, file, withoutSample);
  const results = projectFiles(ROOT).filter((file) => /^bench\/results\/(?!patterns\.json)/.test(file));
  for (const file of results) rmSync(path.join(ROOT, file));
  console.log(`  removed the sample's documents and ${results.length} of its results`);
  return steps;
}

function rename(name: ServiceName): void {
  const files = projectFiles(ROOT).filter((file) => !KEPT.test(file) && !BINARY.test(file));
  const changed = files.filter((file) => changeFile(ROOT, file, (text) => renamed(text, name)));
  changeFile(ROOT, 'package-lock.json', (text) =>
    text.replaceAll(/^( {2,6}"name": )"tardigrade"/gm, `$1"${name.kebab}"`),
  );
  const moved = files.filter((file) => path.basename(file).includes('tardigrade'));
  for (const file of moved)
    renameSync(path.join(ROOT, file), path.join(ROOT, path.dirname(file), renamed(path.basename(file), name)));
  changeFile(ROOT, 'CHANGELOG.md', () => changelogOf(name));
  console.log(
    `Renamed to ${name.title} (${name.kebab}, ${name.snake}): ${changed.length} files changed, ${moved.length} of them moved.`,
  );
}

/** The command runs only once per checkout. */
function removeItself(): void {
  for (const file of OWN_FILES) rmSync(path.join(ROOT, file), { force: true });
  changeFile(ROOT, 'package.json', (text) => text.replace(/^.*"new:service": .*\n/m, ''));
}

function changelogOf({ title }: ServiceName): string {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return `# Changelog\n\n## Unreleased\n\n${title} is created from the Tardigrade template ${version}.\n`;
}
