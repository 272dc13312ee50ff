/** The project's files, according to git: the ones that the commands in scripts/service read and change. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Tracked files and untracked ones that git does not ignore, relative to the project's root, sorted. */
export function projectFiles(root: string): string[] {
  const listed = git(root, 'ls-files', '--cached', '--others', '--exclude-standard', '-z');
  const deleted = new Set(git(root, 'ls-files', '--deleted', '-z').split('\0'));
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && !deleted.has(file)).sort();
}

/** Changes one file as text; returns whether anything changed. */
export function changeFile(root: string, file: string, change: (text: string) => string): boolean {
  const full = path.join(root, file);
  const before = readFileSync(full, 'utf8');
  const after = change(before);
  if (after !== before) writeFileSync(full, after);
  return after !== before;
}

/**
 * Throws if there are uncommitted changes, unless `force`: the command changes many files, and its changes could not be
 * told from yours, or undone.
 */
export function refuseDirty(root: string, force: boolean): void {
  if (force) return;
  const changes = git(root, 'status', '--porcelain').split('\n').filter(Boolean);
  if (changes.length === 0) return;
  throw new Error(
    `The working tree has ${changes.length} uncommitted ${changes.length === 1 ? 'change' : 'changes'}, for example ${changes[0]?.trim()}. ` +
      'Commit or stash them first, so that you can review what this command changes, or pass --force.',
  );
}

function git(root: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}
