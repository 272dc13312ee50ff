import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '..');
/** A copy that had none of it would seed its own. */
export const SEEDED = path.join('.tardigrade', 'bench', 'seeded');

/** Copies the project as it is here, changes included, without what git ignores and without results. */
export function copyWorkingTree(to: string): void {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  for (const file of list.toString().split('\0')) {
    const from = path.join(ROOT, file);
    if (file !== '' && !file.startsWith('bench/results/') && existsSync(from)) cpSync(from, path.join(to, file));
  }
}

/** The same thing under the same name in `to`, made here where it is missing. Remove the link before `to`. */
export function linkShared(name: string, to: string): void {
  mkdirSync(path.join(ROOT, name), { recursive: true });
  mkdirSync(path.dirname(path.join(to, name)), { recursive: true });
  symlinkSync(path.join(ROOT, name), path.join(to, name));
}
