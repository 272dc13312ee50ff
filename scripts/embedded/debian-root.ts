/**
 * Programs of a newer Debian than this machine's, run in a folder that has them and all that they need, without
 * installing anything: an operator's tools (Patroni, pgBackRest) that call each other by their usual paths.
 *
 * The folder becomes the root in a mount namespace of the process's own, so that what is mounted in it is gone when the
 * process is. Not by chroot, after which the kernel allows no user namespace. Only root can do that.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fetchTreeFromApt, knowsDebianKeys } from './from-apt.ts';
import { chooseAccount, runAs } from './postgres-account.ts';

/** What no package depends on, because every Debian has it. */
const ESSENTIAL = ['base-files', 'dash', 'coreutils', 'util-linux', 'mount', 'tar', 'libc-bin'];
/** Shown inside as they are outside. */
const SHARED = ['/proc', '/sys', '/dev', '/tmp', '/var/tmp'];
/** PostgreSQL looks its own account up by name, and its tools the name of this machine. */
const NAMES = {
  hosts: '127.0.0.1 localhost\n',
  passwd: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n',
  group: 'root:x:0:\nnogroup:x:65534:\n',
};

export type DebianRoot = {
  folder: string;
  /**
   * A command that runs inside as the account that PostgreSQL runs under, with its pid; `shared` are folders that it
   * sees at the same place as everybody else.
   */
  inside(shared: readonly string[], command: string, args: readonly string[]): { command: string; args: string[] };
};

/** Why this machine cannot have one, in words that say what to do; undefined if it can. */
export function whyNoDebianRoot(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root, to enter a folder as the root of a file system';
  if (!existsSync('/usr/bin/apt-get')) return 'it needs apt-get: run it on Debian or Ubuntu';
  if (!knowsDebianKeys()) return 'it needs the keys of Debian: apt-get install debian-archive-keyring';
  return undefined;
}

/** Fetches it, once. Throws with apt's last words. */
export async function openDebianRoot(
  name: string,
  packages: readonly string[],
  debianRelease: string,
): Promise<DebianRoot> {
  const folder = await fetchTreeFromApt(name, [...ESSENTIAL, ...packages], debianRelease);
  for (const [file, content] of Object.entries(NAMES)) writeFileSync(path.join(folder, 'etc', file), content);
  const account = chooseAccount();
  return {
    folder,
    inside(shared, command, args) {
      const places = [...SHARED, ...shared];
      for (const place of places) mkdirSync(path.join(folder, place), { recursive: true });
      const mounts = places.map((place) => `mount --rbind '${place}' '${path.join(folder, place)}'`);
      const enter = `mount --rbind '${folder}' '${folder}'; ${mounts.join('; ')}; cd '${folder}'; pivot_root . .`;
      // The old root lies over the new one until it is taken away, by a program of the new one.
      const script = `set -e; PATH=/usr/sbin:/usr/bin:/sbin:/bin; ${enter}; umount --lazy .; cd /; exec "$@"`;
      const inner = runAs(account, command, [...args]);
      return {
        command: 'unshare',
        args: ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', inner.command, ...inner.args],
      };
    },
  };
}
