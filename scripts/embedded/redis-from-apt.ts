/**
 * Redis from the Debian or Ubuntu archive without installing it.
 *
 * apt fetches the packages and checks their signatures; dpkg-deb unpacks them below node_modules/.cache. Nothing of
 * the system changes: no service is started, enabled or left behind, and no root is needed. `npm ci` clears it away
 * as it does the PostgreSQL that came through npm.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from './child.ts';
import { APT_MS } from './limits.ts';
import type { RedisProgram } from './redis.ts';

const CACHE = path.resolve(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'tardigrade');

/** Fetches redis-server and the libraries that this machine lacks, once. Throws with apt's last lines. */
export async function fetchRedisFromApt(): Promise<RedisProgram> {
  const unpacked = path.join(CACHE, 'redis');
  if (!existsSync(unpacked)) await fetchInto(unpacked);
  const libraries = libraryFolders(path.join(unpacked, 'usr', 'lib'));
  const searched = [...libraries, process.env.LD_LIBRARY_PATH].filter((folder) => folder !== undefined);
  return { command: path.join(unpacked, 'usr', 'bin', 'redis-server'), env: { LD_LIBRARY_PATH: searched.join(':') } };
}

async function fetchInto(unpacked: string): Promise<void> {
  // A folder per process: two starts at once must not unpack over each other.
  const work = path.join(CACHE, `redis-${process.pid}`);
  const archives = path.join(work, 'archives');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(path.join(archives, 'partial'), { recursive: true });
  try {
    await download(work, archives, []).catch(async () => {
      // No package lists on this machine (a slim image), or old ones: lists of our own, then once more.
      const lists = ['-o', `Dir::State::lists=${path.join(work, 'lists')}`];
      mkdirSync(path.join(work, 'lists', 'partial'), { recursive: true });
      await apt(work, [...lists, 'update']);
      await download(work, archives, lists);
    });
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

function download(work: string, archives: string, options: string[]): Promise<void> {
  const place = ['-o', `Dir::Cache::archives=${archives}`, ...options];
  return apt(work, [...place, '--yes', '--no-install-recommends', '--download-only', 'install', 'redis-server']);
}

function apt(work: string, args: string[]): Promise<void> {
  // Only our own folders are written to, so no lock is taken and no other user is switched to.
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
