/**
 * Whether the kernel killed a process because of its memory. It says so nowhere but in a counter of the process's own
 * cgroup, which rises for a machine that ran out of memory as well as for a limit: `oom_kill` in `memory.events` (v2) or
 * `memory.oom_control` (v1). The machine's own counter, in /proc/vmstat, also rises for everybody else.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type CgroupFolder, cgroupOf, KERNEL, type Roots } from '../../src/process/cgroup.ts';
import { GROUP_EVERY_MS } from './limits.ts';

/** `perhaps`: something was killed for its memory, and it may have been another process. */
export type OomVerdict = 'yes' | 'perhaps' | 'no';

export interface OomWatch {
  /** Of a process that has ended by SIGKILL. Ends the watch. */
  verdict(): OomVerdict;
  stop(): void;
}

/**
 * Follows the process into the group that a wrapper moves it to, and notes whether others are there too. Beside the
 * process, the one that watches may be in the group: it lives, so it was not the one that was killed.
 */
export function watchOomKills(pid: number, roots = KERNEL): OomWatch {
  const machineBefore = killsOnMachine(roots);
  let group: CgroupFolder | undefined;
  let before: number | undefined;
  let isShared = false;
  const look = () => {
    const now = cgroupOf(pid, 'memory', roots);
    if (now === undefined || isEnding(pid, roots)) return;
    if (now.folder !== group?.folder) [group, before, isShared] = [now, killsIn(now), false];
    isShared ||= hasOthers(now, pid);
  };
  look();
  const timer = setInterval(look, GROUP_EVERY_MS).unref();
  const stop = () => clearInterval(timer);
  return {
    stop,
    verdict() {
      stop();
      const kills = group && killsIn(group);
      if (group === undefined || kills === undefined || before === undefined)
        return killsOnMachine(roots) > machineBefore ? 'perhaps' : 'no';
      if (kills === before) return 'no';
      return isShared || hasOthers(group, pid) ? 'perhaps' : 'yes';
    },
  };
}

/** Undefined for the root of v2, which counts nothing, and for a group that is gone. */
function killsIn({ folder, version }: CgroupFolder): number | undefined {
  return countIn(path.join(folder, version === 1 ? 'memory.oom_control' : 'memory.events'));
}

/** 0 outside Linux. */
function killsOnMachine({ proc }: Roots): number {
  return countIn(path.join(proc, 'vmstat')) ?? 0;
}

/**
 * v1 shows a process that is about to end in the root, and one of a busy machine takes a second to give back its memory.
 * Asked after its group: from then on it stays so.
 */
function isEnding(pid: number, { proc }: Roots): boolean {
  const stat = read(path.join(proc, String(pid), 'stat'));
  // The name in brackets can contain anything, so the fields are counted from the last bracket.
  const flags = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6]);
  return (flags & PF_EXITING) !== 0;
}

/** The kernel's include/linux/sched.h. */
const PF_EXITING = 0x4;

function countIn(file: string): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(read(file))?.[1];
  return count === undefined ? undefined : Number(count);
}

function hasOthers({ folder }: CgroupFolder, pid: number): boolean {
  const pids = read(path.join(folder, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  return pids.some((other) => other !== pid && other !== process.pid);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
