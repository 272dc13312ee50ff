/** A group that somebody else made (systemd, docker), read through whichever version of cgroups the machine has. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pidsIn } from './cgroup-entry.ts';
import { type V1Folders, v1Usage } from './cgroup-v1.ts';
import { v2Folder, v2Usage } from './cgroup-v2.ts';
import type { Cell } from './driver.ts';

export type Group = Pick<Cell, 'usage' | 'pids'> & { readonly folders: string[] };

/** `name` as the kernel gives it: `/user.slice/…`. */
export function groupAt(name: string): Group {
  if (hasV2()) {
    const folder = path.join('/sys/fs/cgroup', name);
    return { usage: () => v2Usage(folder), pids: () => pidsBelow(folder), folders: [folder] };
  }
  const below = (controller: string) => path.join('/sys/fs/cgroup', controller, name);
  const folders: V1Folders = { memory: below('memory'), cpu: below('cpu'), cpuacct: below('cpuacct') };
  return { usage: () => v1Usage(folders), pids: () => pidsBelow(folders.memory), folders: Object.values(folders) };
}

function hasV2(): boolean {
  try {
    v2Folder();
    return true;
  } catch {
    return false;
  }
}

/** A slice's processes are in the scopes below it. */
function pidsBelow(folder: string): number[] {
  return [...pidsIn(folder), ...foldersIn(folder).flatMap(pidsBelow)];
}

/** None when it went between two samples: a scope goes with its last process. */
function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(folder, entry.name));
  } catch {
    return [];
  }
}
