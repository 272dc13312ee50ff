/**
 * Two versions of the product in folders of their own, to be measured by one bench: another version, and what is checked
 * out here. Both are fresh copies: one that were run in place would find what earlier runs have left, and would change
 * under the run when somebody goes on working.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { seedVersion } from '../layout/seeded-data.ts';
import { copyWorkingTree, linkShared, ROOT, SEEDED } from '../working-tree.ts';

export interface Copy {
  readonly root: string;
  remove(): void;
}

const PLACE = path.join(ROOT, '.tardigrade', 'ab');

/** @throws when there is no such version, or another run has it checked out */
export function checkOut(ref: string, place = PLACE): Copy {
  const commit = commitOf(ref);
  return made(path.join(place, commit.slice(0, 12)), (root) => {
    git('worktree', 'prune');
    git('worktree', 'add', '--detach', root, commit);
    // One bench and one set of limits for both: only the product may differ.
    rmSync(path.join(root, 'bench'), { recursive: true, force: true });
    cpSync(path.join(ROOT, 'bench'), path.join(root, 'bench'), {
      recursive: true,
      filter: (source) => source !== path.join(ROOT, 'bench', 'results'),
    });
    cpSync(path.join(ROOT, 'docker-compose.yml'), path.join(root, 'docker-compose.yml'));
    if (same(root, 'package-lock.json')) linkShared('node_modules', root);
    else execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
    if (seedVersion(root) === seedVersion(ROOT)) linkShared(SEEDED, root);
  });
}

/** @throws when another run is under way */
export function copyHere(place = PLACE): Copy {
  return made(path.join(place, 'here'), (root) => {
    copyWorkingTree(root);
    linkShared('node_modules', root);
    linkShared(SEEDED, root);
  });
}

function made(root: string, make: (root: string) => void): Copy {
  if (existsSync(root)) throw new Error(`${root} is there already: another run uses it, or one was killed. Remove it.`);
  const remove = () => {
    // First the links: what they lead to is ours.
    for (const name of ['node_modules', SEEDED]) unlink(path.join(root, name));
    rmSync(root, { recursive: true, force: true });
    git('worktree', 'prune');
  };
  mkdirSync(path.dirname(root), { recursive: true });
  try {
    make(root);
    return { root, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function unlink(place: string): void {
  if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(place);
}

function commitOf(ref: string): string {
  try {
    return git('rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`);
  } catch {
    throw new Error(`git knows no version called ${ref}.`);
  }
}

function same(root: string, name: string): boolean {
  return readFileSync(path.join(root, name)).equals(readFileSync(path.join(ROOT, name)));
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
