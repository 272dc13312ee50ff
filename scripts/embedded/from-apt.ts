/**
 * Runs a program from the Debian or Ubuntu archive without installing it.
 *
 * apt downloads the packages and checks their signatures; dpkg-deb unpacks them under node_modules/.cache. The system
 * is not changed: no service is started, enabled or left behind, and root is not needed. `npm ci` removes them, like
 * the PostgreSQL that came through npm.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from './child.ts';
import { APT_MS } from './limits.ts';

/** How to run the fetched program: these arguments come before the program's own. */
export type FetchedProgram = { command: string; args: string[]; env: NodeJS.ProcessEnv };

export type FetchOptions = {
  package: string;
  /** Relative to the package's root: `usr/bin/redis-server`. */
  program: string;
  /** From this release of Debian, with all libraries including the C library; default: the machine's own release. */
  debianRelease?: string;
};

const CACHE = path.resolve(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'tardigrade');

const DEBIAN_KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Whether this machine can verify packages of another Debian release. */
export const knowsDebianKeys = () => existsSync(DEBIAN_KEYS);

/** Fetches the program and any libraries that this machine lacks, once. Throws with apt's last lines of output. */
export async function fetchFromApt(options: FetchOptions): Promise<FetchedProgram> {
  const unpacked = path.join(CACHE, [options.package, options.debianRelease].filter(Boolean).join('-'));
  if (!existsSync(unpacked)) await fetchInto(unpacked, options);
  const program = path.join(unpacked, options.program);
  const libraries = libraryFolders(path.join(unpacked, 'usr', 'lib'));
  const searched = [...libraries, process.env.LD_LIBRARY_PATH].filter((folder) => folder !== undefined).join(':');
  // A foreign C library works only with its own loader, and must not affect programs that this one starts.
  const loader = options.debianRelease === undefined ? undefined : loaderBelow(unpacked);
  return loader === undefined
    ? { command: program, args: [], env: { LD_LIBRARY_PATH: searched } }
    : { command: loader, args: ['--library-path', searched, program], env: {} };
}

/**
 * A folder with these packages of a Debian release and all that they depend on, as a machine of that release would have
 * them, but not set up: for programs that need more than a library (see debian-root.ts). Fetched once.
 */
export async function fetchTreeFromApt(name: string, packages: readonly string[], debianRelease: string) {
  const unpacked = path.join(CACHE, `${name}-${debianRelease}`);
  if (!existsSync(unpacked)) await fetchInto(unpacked, { package: packages.join(' '), debianRelease });
  return unpacked;
}

async function fetchInto(unpacked: string, options: Omit<FetchOptions, 'program'>): Promise<void> {
  // A folder per process: two concurrent starts must not unpack over each other.
  const work = `${unpacked}-${process.pid}`;
  const archives = path.join(work, 'archives');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(path.join(archives, 'partial'), { recursive: true });
  try {
    if (options.debianRelease === undefined) {
      await download(work, archives, options.package, []).catch(async () => {
        // This machine has no package lists (a slim image), or old ones: fetch our own and try again.
        await updateAndDownload(work, archives, options.package, []);
      });
    } else {
      await updateAndDownload(work, archives, options.package, release(work, options.debianRelease));
    }
    const root = path.join(work, 'root');
    mkdirSync(root);
    for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
      await run(work, 'dpkg-deb', ['-x', path.join(archives, file), root]);
    }
    if (!existsSync(unpacked)) renameSync(root, unpacked);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** apt options for that release only, with no package counted as installed. */
function release(work: string, name: string): string[] {
  const sources = path.join(work, 'sources');
  mkdirSync(sources);
  const lines = ['Types: deb', 'URIs: http://deb.debian.org/debian', `Suites: ${name}`, 'Components: main'];
  writeFileSync(path.join(sources, 'debian.sources'), `${lines.join('\n')}\nSigned-By: ${DEBIAN_KEYS}\n`);
  writeFileSync(path.join(work, 'status'), '');
  const places = {
    'Etc::sourcelist': '/dev/null',
    'Etc::sourceparts': sources,
    'State::status': path.join(work, 'status'),
  };
  return Object.entries(places).flatMap(([key, value]) => ['-o', `Dir::${key}=${value}`]);
}

async function updateAndDownload(work: string, archives: string, name: string, options: string[]): Promise<void> {
  const lists = [...options, '-o', `Dir::State::lists=${path.join(work, 'lists')}`];
  mkdirSync(path.join(work, 'lists', 'partial'), { recursive: true });
  await apt(work, [...lists, 'update']);
  await download(work, archives, name, lists);
}

function download(work: string, archives: string, name: string, options: string[]): Promise<void> {
  const place = ['-o', `Dir::Cache::archives=${archives}`, ...options];
  return apt(work, [...place, '--yes', '--no-install-recommends', '--download-only', 'install', ...name.split(' ')]);
}

function apt(work: string, args: string[]): Promise<void> {
  // Writes only to our own folders, so it needs no lock and no sandbox user.
  const own = ['-o', `Dir::Cache=${work}`, '-o', 'Debug::NoLocking=1', '-o', 'APT::Sandbox::User='];
  return run(work, 'apt-get', [...own, ...args]);
}

function run(folder: string, command: string, args: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  return runToEnd({ folder, name: path.basename(command), command, args, env, deadlineMs: APT_MS });
}

/** Debian keeps libraries in a folder named after the machine: lib/x86_64-linux-gnu. */
function libraryFolders(lib: string): string[] {
  if (!existsSync(lib)) return [];
  return readdirSync(lib)
    .filter((name) => name.includes('-linux-'))
    .map((name) => path.join(lib, name));
}

/** lib64/ld-linux-x86-64.so.2, lib/ld-linux-aarch64.so.1. */
function loaderBelow(root: string): string | undefined {
  return ['lib64', 'lib']
    .map((folder) => path.join(root, 'usr', folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)))
    .find((file) => path.basename(file).startsWith('ld-linux-'));
}
