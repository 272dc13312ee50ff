/** Another version of the product beside this one, measured by this version's bench. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const PLACE = path.join(ROOT, '.tardigrade', 'ab');

/** What a seeded database is made from: where it is the same, the versions share one. */
const SEED_SOURCES = ['migrations', 'scripts/seed.ts', 'scripts/seed', 'scripts/embedded/postgres.ts'];

export interface Worktree {
  readonly root: string;
  readonly commit: string;
  remove(): void;
}

/** @throws when there is no such version, or another run has it checked out */
export function checkOut(ref: string): Worktree {
  const commit = commitOf(ref);
  const root = path.join(PLACE, commit.slice(0, 12));
  const links: string[] = [];
  const remove = () => {
    // First the links: what they lead to is ours.
    for (const link of links) if (existsSync(link)) unlinkSync(link);
    rmSync(root, { recursive: true, force: true });
    git('worktree', 'prune');
  };
  if (existsSync(root)) throw new Error(`${root} is there already: another run uses it, or one was killed. Remove it.`);
  mkdirSync(PLACE, { recursive: true });
  git('worktree', 'prune');
  git('worktree', 'add', '--detach', root, commit);
  try {
    // One bench and one set of limits for both: only the product may differ.
    rmSync(path.join(root, 'bench'), { recursive: true, force: true });
    cpSync(path.join(ROOT, 'bench'), path.join(root, 'bench'), {
      recursive: true,
      filter: (source) => source !== path.join(ROOT, 'bench', 'results'),
    });
    cpSync(path.join(ROOT, 'docker-compose.yml'), path.join(root, 'docker-compose.yml'));
    const link = (name: string) => {
      symlinkSync(path.join(ROOT, name), path.join(root, name));
      links.push(path.join(root, name));
    };
    if (same(root, 'package-lock.json')) link('node_modules');
    else execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
    const kept = path.join('.tardigrade', 'bench', 'seeded');
    if (git('diff', '--name-only', commit, '--', ...SEED_SOURCES) === '' && existsSync(path.join(ROOT, kept))) {
      mkdirSync(path.dirname(path.join(root, kept)), { recursive: true });
      link(kept);
    }
    return { root, commit, remove };
  } catch (error) {
    remove();
    throw error;
  }
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
