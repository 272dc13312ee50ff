import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { PLATFORM, PRODUCT } from '../../src/modules.ts';
import { unusedDependencies } from './dependencies.ts';
import { withoutDeadLinks } from './documents.ts';
import { filesOf, MODULE_FOLDERS, usesOf } from './module-files.ts';
import { LIST_FILE, withoutEntry } from './module-list.ts';
import { changeFile, projectFiles } from './project.ts';
import type { Step } from './regenerate.ts';

/**
 * Removes modules. Throws, before anything is changed, if a remaining module depends on one of them. Returns the steps
 * to run before files are regenerated.
 */
export function removeModules(root: string, names: readonly string[], say: (text: string) => void): Step[] {
  const files = projectFiles(root);
  for (const name of names) refuseUnlessFree(root, name, names, files);
  const dependenciesBefore = unusedDependencies(root, files);

  const gone = names.flatMap((name) => filesOf(name, files));
  for (const file of gone) rmSync(path.join(root, file));
  for (const name of names) changeFile(root, LIST_FILE, (list) => withoutEntry(list, name));
  const left = files.filter((file) => !gone.includes(file));
  for (const file of left.filter((file) => /^[A-Z]+\.md$|^docs\/.*\.md$/.test(file)))
    changeFile(root, file, (text) =>
      withoutDeadLinks(text, (target) => existsSync(path.join(root, path.dirname(file), target))),
    );
  for (const name of names)
    for (const folder of MODULE_FOLDERS) rmSync(path.join(root, folder, name), { recursive: true, force: true });

  say(
    `Removed ${names.join(', ')}: ${gone.length} files, ${names.length === 1 ? 'its entry' : 'their entries'} in ${LIST_FILE}.`,
  );
  const unused = unusedDependencies(root, left).filter((name) => !dependenciesBefore.includes(name));
  if (unused.length === 0) return [];
  const command = ['npm', 'uninstall', '--no-audit', '--no-fund', ...unused] as const;
  return [{ what: `unused packages (${unused.join(', ')})`, command }];
}

function refuseUnlessFree(root: string, name: string, removed: readonly string[], files: readonly string[]): void {
  const product = PRODUCT.map((module) => module.name);
  if (PLATFORM.some((module) => module.name === name))
    throw new Error(`${name} is part of the platform: the other modules, the pages and the bench need it.`);
  if (!product.includes(name))
    throw new Error(`There is no module ${name}. Existing modules: ${product.join(', ') || 'none'}.`);
  const staying = product.filter((other) => !removed.includes(other));
  const uses = usesOf(root, name, staying, files);
  if (uses.length === 0) return;
  const users = [...new Set(uses.map(({ module }) => module))];
  const samples = users
    .map((user) => uses.filter(({ module }) => module === user))
    .map((usesOfUser) => usesOfUser.find(({ file }) => file.startsWith('src/')) ?? usesOfUser[0])
    .map((use) => `  ${use?.file} ${use?.what}`);
  throw new Error(
    `${users.join(' and ')} ${users.length === 1 ? 'depends' : 'depend'} on ${name}:\n${samples.join('\n')}\nRemove ${users.join(' and ')} first.`,
  );
}
