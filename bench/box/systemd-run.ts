/**
 * Boxes by systemd, where it keeps the machine's groups: one slice per box, which carries the limits and outlives its
 * processes, and one scope in it per command (`systemd-run --scope` becomes the command: same pid). Root asks the
 * system's manager; everybody else asks their own, which works from anywhere, a service of the system included.
 *
 * The scope says the memory limit again: a program looks at its own group for it, never at the slice above. And it is
 * delegated: otherwise systemd ends all that is in a scope as soon as the kernel has killed one process in it.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { weightOf } from './cgroup-v2.ts';
import type { BoxSpec, Cell, Driver } from './driver.ts';
import { groupAt } from './group-at.ts';
import { groupName, isStale } from './group-name.ts';
import { SYSTEMD_MS } from './limits.ts';

const run = promisify(execFile);

/** One of them is in every group that may be held to CPU: v2, v1. */
const CPU_FILES = ['cpu.max', 'cpu.cfs_quota_us'];

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
        ...(spec.cpuShares === undefined ? [] : [`CPUWeight=${weightOf(spec.cpuShares)}`]),
      );
      const { stdout } = await systemctl('show', '--property=ControlGroup', '--value', slice);
      const group = groupAt(stdout.trim());
      if (!holdsCpu(group.folders)) throw new Error('user@.service does not delegate the cpu controller');
      return {
        wrap: (command, args) => ({
          command: 'systemd-run',
          args: [
            ...[...manager(), '--scope', '--quiet', '--collect', `--slice=${slice}`],
            ...[`--property=MemoryMax=${spec.memoryBytes}`, '--property=Delegate=yes'],
            // Asked itself for a command that does not exist, systemd-run ends with 1; a shell says 127, as shells do.
            ...['--', 'sh', '-c', 'exec "$@"', 'box', command, ...args],
          ],
        }),
        usage: group.usage,
        pids: group.pids,
        setCpus: async (cpus) => void (await systemctl('set-property', '--runtime', slice, cpuQuota(cpus))),
        remove: () => remove(slice),
      };
    } catch (error) {
      await remove(slice);
      throw error;
    }
  },

  async removeStale() {
    const { stdout } = await systemctl('list-units', '--type=slice', '--all', '--plain', '--no-legend');
    const slices = stdout.split('\n').map((line) => line.trim().split(/\s+/)[0] ?? '');
    for (const slice of slices) {
      if (isStale(slice.replace(/\.slice$/, '').replaceAll('_', '-'))) await remove(slice);
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

/** systemd takes CPUQuota where it has no cpu controller too, and holds nobody to it. */
function holdsCpu(folders: readonly string[]): boolean {
  return folders.some((folder) => CPU_FILES.some((file) => existsSync(path.join(folder, file))));
}

/** A stopped slice would leave the files in which set-property keeps its limits. */
async function remove(slice: string): Promise<void> {
  await systemctl('kill', '--signal=SIGKILL', slice);
  await systemctl('stop', slice);
  await systemctl('revert', '--no-reload', slice);
}

/** @throws with what systemctl said */
async function systemctl(...args: string[]) {
  try {
    return await run('systemctl', [...manager(), ...args], { timeout: SYSTEMD_MS });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw stderr ? new Error(`systemctl ${args[0]}: ${stderr.trim()}`, { cause: error }) : error;
  }
}

function manager(): string[] {
  return process.getuid?.() === 0 ? ['--system'] : ['--user'];
}
