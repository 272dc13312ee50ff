/** Boxes by cgroup v2: one folder per box, below the nearest group of ours that may hand on memory and cpu. */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { control, enter, pidsIn, quotaUs, removeGroup } from './cgroup-entry.ts';
import { type BoxSpec, type Cell, CPU_SHARES_DEFAULT, type Driver, type Usage } from './driver.ts';
import { groupName, isStale } from './group-name.ts';
import { CPU_PERIOD_US } from './limits.ts';
import { neededBytes, readNumber, readStats } from './usage.ts';

const MOUNT = '/sys/fs/cgroup';

/** There where systemd is process 1: sd_booted(3). */
const SYSTEMD_RUNS = '/run/systemd/system';

export const cgroupV2: Driver = {
  name: 'cgroup v2',

  async create(spec: BoxSpec): Promise<Cell> {
    const folder = path.join(findParent(), groupName(spec.name));
    try {
      mkdirSync(folder);
      control(folder, 'memory.max', String(spec.memoryBytes));
      // Absent on a kernel without swap.
      if (existsSync(path.join(folder, 'memory.swap.max'))) control(folder, 'memory.swap.max', '0');
      limitCpu(folder, spec.cpus);
      if (spec.cpuShares !== undefined) control(folder, 'cpu.weight', String(weightOf(spec.cpuShares)));
    } catch (error) {
      await removeGroup([folder]);
      throw error;
    }
    return {
      wrap: (command, args) => enter([folder], command, args),
      usage: () => v2Usage(folder),
      pids: () => pidsIn(folder),
      setCpus: async (cpus) => limitCpu(folder, cpus),
      remove: () => removeGroup([folder]),
    };
  },

  async removeStale() {
    for (const parent of ancestors()) {
      const stale = readdirSync(parent).filter(isStale);
      await Promise.all(stale.map((name) => removeGroup([path.join(parent, name)])));
    }
  },
};

/** @throws where the machine has no cgroup v2 with a memory controller */
export function v2Folder(pid: number | 'self' = 'self'): string {
  const line = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith('0::'));
  if (line === undefined || !offers(MOUNT, 'cgroup.controllers')) throw new Error('no cgroup v2 controllers');
  const own = path.join(MOUNT, line.slice('0::'.length));
  return existsSync(own) ? own : MOUNT;
}

export function v2Usage(folder: string): Usage {
  const stat = readStats(path.join(folder, 'memory.stat'));
  const cpu = readStats(path.join(folder, 'cpu.stat'));
  const chargedBytes = readNumber(path.join(folder, 'memory.current'));
  const peak = path.join(folder, 'memory.peak');
  return {
    chargedBytes,
    neededBytes: neededBytes({
      chargedBytes,
      activeFileBytes: stat['active_file'] ?? 0,
      inactiveFileBytes: stat['inactive_file'] ?? 0,
      mappedBytes: stat['file_mapped'] ?? 0,
      sharedBytes: stat['shmem'] ?? 0,
    }),
    // Since Linux 5.19; before, the samples are all there is.
    peakBytes: existsSync(peak) ? readNumber(peak) : chargedBytes,
    cpuSeconds: (cpu['usage_usec'] ?? 0) / 1e6,
    throttledSeconds: (cpu['throttled_usec'] ?? 0) / 1e6,
    oomKills: readStats(path.join(folder, 'memory.events'))['oom_kill'] ?? 0,
  };
}

/**
 * A group that has processes cannot hand controllers on, so a box is never below our own group but beside it, or
 * beside one of its ancestors: the nearest that is ours and hands them on, or can be told to.
 * Systemd's are left alone: it takes the controllers back whenever none of its own units needs them, and the box would
 * have no limit any more, without a word (systemd-run.ts asks for one instead).
 */
function findParent(): string {
  for (const place of ancestors().filter((ancestor) => !isSystemds(ancestor))) {
    try {
      accessSync(place, constants.W_OK);
      if (!offers(place, 'cgroup.subtree_control')) control(place, 'cgroup.subtree_control', '+memory +cpu');
      return place;
    } catch {
      // It has processes of its own, or it is not ours to change.
    }
  }
  throw new Error('no group of ours may hand on the memory and cpu controllers');
}

/** Whether systemd writes to it: slices, and what a user's manager keeps its own in. Units below are their processes'. */
function isSystemds(place: string): boolean {
  return existsSync(SYSTEMD_RUNS) && (place === MOUNT || /\.slice$|\/user@\d+\.service$/.test(place));
}

function ancestors(): string[] {
  const places: string[] = [];
  for (let place = v2Folder(); place.startsWith(MOUNT); place = path.dirname(place)) places.push(place);
  return places;
}

function offers(folder: string, file: string): boolean {
  try {
    const controllers = readFileSync(path.join(folder, file), 'utf8').trim().split(' ');
    return controllers.includes('memory') && controllers.includes('cpu');
  } catch {
    return false;
  }
}

/** In the scale of cgroup v2, where a group has 100 unless it says otherwise. */
export function weightOf(cpuShares: number): number {
  return Math.min(10_000, Math.max(1, Math.round((cpuShares / CPU_SHARES_DEFAULT) * 100)));
}

function limitCpu(folder: string, cpus: number): void {
  control(folder, 'cpu.max', `${quotaUs(cpus)} ${CPU_PERIOD_US}`);
}
