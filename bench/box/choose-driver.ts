/**
 * Which driver this machine has, found out by trying: one counts only when a process that takes more than its box
 * holds is killed for it. Files that can be written, and programs that are installed, prove nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cgroupV1 } from './cgroup-v1.ts';
import { cgroupV2 } from './cgroup-v2.ts';
import { docker } from './docker.ts';
import type { Driver } from './driver.ts';
import { PROBE_ALLOCATES_BYTES, PROBE_BYTES, PROBE_MS } from './limits.ts';
import { noLimit } from './no-limit.ts';
import { systemdRun } from './systemd-run.ts';

/** Nearest to the kernel first. */
const DRIVERS: readonly Driver[] = [cgroupV2, cgroupV1, systemdRun, docker];

export interface Choice {
  /** `noLimit` where nothing enforces. */
  readonly driver: Driver;
  /** What was tried and why it does not do, a line each. */
  readonly refused: readonly string[];
}

let choice: Promise<Choice> | undefined;

/** Probes once per process, and first removes what dead processes left behind. */
export function chooseDriver(): Promise<Choice> {
  choice ??= probeInTurn(DRIVERS);
  return choice;
}

export async function probeInTurn(drivers: readonly Driver[]): Promise<Choice> {
  const refused: string[] = [];
  for (const driver of drivers) {
    try {
      await probe(driver);
      // What another user left is not ours to remove, and no obstacle.
      await driver.removeStale().catch(() => undefined);
      return { driver, refused };
    } catch (error) {
      refused.push(`${driver.name}: ${firstLine(error)}`);
    }
  }
  return { driver: noLimit, refused };
}

/** @throws unless the kernel kills what does not fit */
async function probe(driver: Driver): Promise<void> {
  const cell = await driver.create({ name: 'probe', memoryBytes: PROBE_BYTES, cpus: 1 });
  try {
    const { command, args } = cell.wrap(process.execPath, ['-e', `Buffer.alloc(${PROBE_ALLOCATES_BYTES}, 1)`]);
    const child = spawn(command, args, { stdio: 'ignore', timeout: PROBE_MS, killSignal: 'SIGKILL' });
    await once(child, 'exit');
    if (cell.usage().oomKills === 0) throw new Error('took the limit, and did not enforce it');
  } finally {
    await cell.remove();
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
