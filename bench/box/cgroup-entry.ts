/** What both versions of cgroups share: how a process gets in, and how a group goes. */
import { readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandLine } from './driver.ts';
import { CPU_PERIOD_US, CPU_QUOTA_US_MIN, EMPTY_MS, POLL_MS } from './limits.ts';

/**
 * The shell enters first and then becomes the command: every page of it, and of its children, is charged from the
 * start. A process that were moved later would leave what it has already touched with its old group.
 */
export function enter(folders: readonly string[], command: string, args: readonly string[]): CommandLine {
  const steps = folders.map((folder) => `echo $$ > '${path.join(folder, 'cgroup.procs')}'`).join(' && ');
  return intoBox(steps, command, args);
}

/** `steps` is shell: what brings the process `$$` inside. */
export function intoBox(steps: string, command: string, args: readonly string[]): CommandLine {
  const script = `{ ${steps}; } || { echo 'cannot enter the box' >&2; exit 71; }; exec "$@"`;
  return { command: 'sh', args: ['-c', script, 'box', command, ...args] };
}

/** Microseconds of CPU in each period of CPU_PERIOD_US. */
export function quotaUs(cpus: number): number {
  return Math.max(CPU_QUOTA_US_MIN, Math.round(cpus * CPU_PERIOD_US));
}

/** Kills what is still inside and removes the group's folders. Throws when something cannot be killed. */
export async function removeGroup(folders: readonly string[]): Promise<void> {
  const deadline = Date.now() + EMPTY_MS;
  for (const folder of folders) {
    while (!remove(folder)) {
      if (Date.now() > deadline) throw new Error(`${folder} cannot be removed: processes in it do not end`);
      for (const pid of pidsIn(folder)) kill(pid);
      await delay(POLL_MS);
    }
  }
}

export function pidsIn(folder: string): number[] {
  try {
    return readFileSync(path.join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone between the listing and the signal.
  }
}

/** Writes a control file; says which one it was when the kernel refuses. */
export function control(folder: string, file: string, value: string): void {
  try {
    writeFileSync(path.join(folder, file), value);
  } catch (error) {
    throw new Error(`${path.join(folder, file)} does not take ${value}`, { cause: error });
  }
}

function remove(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY') return false;
    throw error;
  }
}
