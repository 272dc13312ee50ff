/** What the kernel counts for the container that this process runs in: cgroup v1 or v2, and nothing outside Linux. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface CpuPeriods {
  /** Periods in which the container wanted to run, and those in which its quota was used up before the end. */
  readonly all: number;
  readonly throttled: number;
}

/** Bytes that count against the limit and that the kernel cannot simply drop: without the cache of files not in use. */
export function usedMemoryBytes(): number | undefined {
  const used = Number(read(usageFile));
  const idleCache = Number(/^(?:total_)?inactive_file (\d+)/m.exec(read(statFile) ?? '')?.[1] ?? 0);
  return Number.isFinite(used) && used > 0 ? Math.max(0, used - idleCache) : undefined;
}

/** Undefined where no quota is set. */
export function cpuPeriods(): CpuPeriods | undefined {
  const text = read(cpuFile) ?? '';
  const of = (name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const periods = { all: of('nr_periods'), throttled: of('nr_throttled') };
  return Number.isFinite(periods.all) && Number.isFinite(periods.throttled) ? periods : undefined;
}

export interface Roots {
  readonly proc: string;
  readonly cgroups: string;
}

/** Where the kernel shows its groups; tests make up their own. */
export const KERNEL: Roots = { proc: '/proc', cgroups: '/sys/fs/cgroup' };

/** A folder of a group, and which version of cgroups it is of. */
export interface CgroupFolder {
  readonly folder: string;
  readonly version: 1 | 2;
}

/** The group of a process, as far as this controller is concerned; undefined outside Linux, or once the process is gone. */
export function cgroupOf(pid: number | 'self', controller: string, roots = KERNEL): CgroupFolder | undefined {
  const groups = read(path.join(roots.proc, String(pid), 'cgroup'))?.split('\n') ?? [];
  const v1 = groups.find((line) => line.split(':')[1]?.split(',').includes(controller));
  if (v1 !== undefined) return { folder: ownGroup(path.join(roots.cgroups, controller), v1), version: 1 };
  const v2 = groups.find((line) => line.startsWith('0::'));
  return v2 === undefined ? undefined : { folder: ownGroup(roots.cgroups, v2), version: 2 };
}

/**
 * The smallest limit of memory of this process's group and of those around it, as far as they can be seen from here, or
 * Infinity. Node reads that of the group alone: one without a limit in a group that has one would seem to have none.
 */
export function memoryLimitBytes(roots = KERNEL): number {
  const group = cgroupOf('self', 'memory', roots);
  if (group === undefined) return Number.POSITIVE_INFINITY;
  const names = group.version === 1 ? ['memory.limit_in_bytes'] : ['memory.max', 'memory.high'];
  let smallest = Number.POSITIVE_INFINITY;
  for (let folder = group.folder; folder.startsWith(roots.cgroups); folder = path.dirname(folder)) {
    for (const name of names) {
      const bytes = Number(read(path.join(folder, name)) ?? 0); // `max` is not a number
      if (bytes > 0) smallest = Math.min(smallest, bytes);
    }
  }
  return smallest;
}

const usageFile = fileOf('memory', 'memory.usage_in_bytes', 'memory.current');
const statFile = fileOf('memory', 'memory.stat', 'memory.stat');
const cpuFile = fileOf('cpu', 'cpu.stat', 'cpu.stat');

function read(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function fileOf(controller: string, v1Name: string, v2Name: string): string | undefined {
  const group = cgroupOf('self', controller);
  return group && path.join(group.folder, group.version === 1 ? v1Name : v2Name);
}

/** In a container the cgroup's path is often the host's, while the mount begins at the container's own group. */
function ownGroup(mount: string, line: string): string {
  const own = path.join(mount, line.split(':').slice(2).join(':'));
  return existsSync(own) ? own : mount;
}
