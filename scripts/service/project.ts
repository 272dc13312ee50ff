/** The files of a project, as git knows them: what the three commands of scripts/service read and change. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Tracked files and new ones that git does not ignore, relative to the project's root, in order. */
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
 * The command changes many files at once: with changes of your own among them you could not tell them apart, nor take
 * the command's back. Throws unless `force`.
 */
export function refuseDirty(root: string, force: boolean): void {
  if (force) return;
  const changes = git(root, 'status', '--porcelain').split('\n').filter(Boolean);
  if (changes.length === 0) return;
  throw new Error(
    `The working tree has ${changes.length} uncommitted ${changes.length === 1 ? 'change' : 'changes'}, for example ${changes[0]?.trim()}. ` +
      'Commit or stash first, so that you can review what this command does, or say --force.',
  );
}

function git(root: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}
