/**
 * Boxes by systemd, for a user who has no group of the kernel's: one slice per box, which carries the limits and
 * outlives its processes, and one scope in it per command (`systemd-run --scope` becomes the command: same pid).
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { kill } from './cgroup-entry.ts';
import type { BoxSpec, Cell, Driver } from './driver.ts';
import { groupAt } from './group-at.ts';
import { groupName, isStale } from './group-name.ts';
import { SYSTEMD_MS } from './limits.ts';

const run = promisify(execFile);

export const systemdRun: Driver = {
  name: 'systemd-run',

  async create(spec: BoxSpec): Promise<Cell> {
    const slice = sliceOf(groupName(spec.name));
    await systemctl('start', slice);
    try {
      await systemctl(
        'set-property',
        '--runtime',
        slice,
        `MemoryMax=${spec.memoryBytes}`,
        'MemorySwapMax=0',
        cpuQuota(spec.cpus),
      );
      const { stdout } = await systemctl('show', '--property=ControlGroup', '--value', slice);
      const group = groupAt(stdout.trim());
      return {
        wrap: (command, args) => ({
          command: 'systemd-run',
          args: [...manager(), '--scope', '--quiet', '--collect', `--slice=${slice}`, '--', command, ...args],
        }),
        usage: group.usage,
        pids: group.pids,
        setCpus: async (cpus) => void (await systemctl('set-property', '--runtime', slice, cpuQuota(cpus))),
        remove: async () => {
          for (const pid of group.pids()) kill(pid);
          await systemctl('stop', slice);
        },
      };
    } catch (error) {
      await systemctl('stop', slice);
      throw error;
    }
  },

  async removeStale() {
    const { stdout } = await systemctl('list-units', '--type=slice', '--all', '--plain', '--no-legend');
    const slices = stdout.split('\n').map((line) => line.trim().split(/\s+/)[0] ?? '');
    for (const slice of slices) {
      if (isStale(slice.replace(/\.slice$/, '').replaceAll('_', '-'))) await systemctl('stop', slice);
    }
  },
};

/** A hyphen in a slice's name would make it a slice within a slice. */
function sliceOf(name: string): string {
  return `${name.replaceAll('-', '_')}.slice`;
}

function cpuQuota(cpus: number): string {
  return `CPUQuota=${Math.max(1, Math.round(cpus * 100))}%`;
}

function systemctl(...args: string[]) {
  return run('systemctl', [...manager(), ...args], { timeout: SYSTEMD_MS });
}

function manager(): string[] {
  return process.getuid?.() === 0 ? ['--system'] : ['--user'];
}
