/** Boxes by cgroup v1: one hierarchy per controller, and a folder in each of memory, cpu and cpuacct. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { enter, quotaUs, removeGroup } from './cgroup-entry.ts';
import type { BoxSpec, Cell, Driver, Usage } from './driver.ts';
import { groupName, isStale } from './group-name.ts';
import { CPU_PERIOD_US } from './limits.ts';
import { neededBytes, readNumber, readStats } from './usage.ts';

const CONTROLLERS = ['memory', 'cpu', 'cpuacct'] as const;

export type V1Folders = Record<(typeof CONTROLLERS)[number], string>;

export const cgroupV1: Driver = {
  name: 'cgroup v1',

  async create(spec: BoxSpec): Promise<Cell> {
    const name = groupName(spec.name);
    const parents = v1Folders();
    const folders = mapFolders(parents, (parent) => path.join(parent, name));
    const all = distinct(folders);
    try {
      for (const folder of all) mkdirSync(folder, { recursive: true });
      limitMemory(folders.memory, spec.memoryBytes);
      limitCpu(folders.cpu, spec.cpus);
      if (spec.cpuShares !== undefined) writeFileSync(path.join(folders.cpu, 'cpu.shares'), String(spec.cpuShares));
    } catch (error) {
      await removeGroup(all);
      throw error;
    }
    return {
      wrap: (command, args) => enter(all, command, args),
      usage: () => v1Usage(folders),
      pids: () => v1Pids(folders),
      setCpus: async (cpus) => limitCpu(folders.cpu, cpus),
      remove: () => removeGroup(all),
    };
  },

  async removeStale() {
    for (const parent of distinct(v1Folders())) {
      const stale = readdirSync(parent).filter(isStale);
      await Promise.all(stale.map((name) => removeGroup([path.join(parent, name)])));
    }
  },
};

/**
 * Where the groups of a process are; boxes are made below our own, so that a limit on us bounds them too.
 * @throws where the machine has no cgroup v1
 */
export function v1Folders(pid: number | 'self' = 'self'): V1Folders {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const folderOf = (controller: string) => {
    const line = lines.find((candidate) => candidate.split(':')[1]?.split(',').includes(controller));
    if (line === undefined) throw new Error(`no cgroup v1 controller ${controller}`);
    const mount = `/sys/fs/cgroup/${controller}`;
    const own = path.join(mount, line.split(':').slice(2).join(':'));
    // In a container the name is often the host's, and the mount begins at the container's own group.
    return realpathSync(existsSync(own) ? own : mount);
  };
  return { memory: folderOf('memory'), cpu: folderOf('cpu'), cpuacct: folderOf('cpuacct') };
}

export function v1Usage({ memory, cpu, cpuacct }: V1Folders): Usage {
  const stat = readStats(path.join(memory, 'memory.stat'));
  const chargedBytes = readNumber(path.join(memory, 'memory.usage_in_bytes'));
  return {
    chargedBytes,
    neededBytes: neededBytes({
      chargedBytes,
      activeFileBytes: stat['total_active_file'] ?? 0,
      inactiveFileBytes: stat['total_inactive_file'] ?? 0,
      mappedBytes: stat['total_mapped_file'] ?? 0,
      sharedBytes: stat['total_shmem'] ?? 0,
    }),
    peakBytes: readNumber(path.join(memory, 'memory.max_usage_in_bytes')),
    cpuSeconds: readNumber(path.join(cpuacct, 'cpuacct.usage')) / 1e9,
    throttledSeconds: (readStats(path.join(cpu, 'cpu.stat'))['throttled_time'] ?? 0) / 1e9,
    oomKills: readStats(path.join(memory, 'memory.oom_control'))['oom_kill'] ?? 0,
  };
}

export function v1Pids({ memory }: V1Folders): number[] {
  return readFileSync(path.join(memory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
}

function limitMemory(folder: string, bytes: number): void {
  writeFileSync(path.join(folder, 'memory.limit_in_bytes'), String(bytes));
  const withSwap = path.join(folder, 'memory.memsw.limit_in_bytes');
  if (existsSync(withSwap)) writeFileSync(withSwap, String(bytes));
  // Kernels without swap accounting: pages of this group are not worth swapping at any price.
  else writeFileSync(path.join(folder, 'memory.swappiness'), '0');
}

function limitCpu(folder: string, cpus: number): void {
  writeFileSync(path.join(folder, 'cpu.cfs_period_us'), String(CPU_PERIOD_US));
  writeFileSync(path.join(folder, 'cpu.cfs_quota_us'), String(quotaUs(cpus)));
}

function mapFolders(folders: V1Folders, map: (folder: string) => string): V1Folders {
  return { memory: map(folders.memory), cpu: map(folders.cpu), cpuacct: map(folders.cpuacct) };
}

/** cpu and cpuacct are one hierarchy on many machines. */
function distinct(folders: V1Folders): string[] {
  return [...new Set(Object.values(folders))];
}
