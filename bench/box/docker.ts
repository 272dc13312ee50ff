/**
 * Boxes by docker, for a user who may use it but no group of the kernel's: a container with the limits, in which a
 * `sleep` keeps the place, and into whose group each command is put before it starts. The command keeps its files,
 * its user, its pid and its stdio; only the group is docker's. Linux only: elsewhere containers are in another machine.
 *
 * The container is privileged, because only such a one may write to the host's groups: being allowed to use docker
 * amounts to that anyway.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { intoBox, kill } from './cgroup-entry.ts';
import type { BoxSpec, Cell, Driver } from './driver.ts';
import { groupAt } from './group-at.ts';
import { groupName, isStale } from './group-name.ts';
import { DOCKER_MS } from './limits.ts';

const IMAGE = 'busybox:stable';

const run = promisify(execFile);

export const docker: Driver = {
  name: 'docker',

  async create(spec: BoxSpec): Promise<Cell> {
    if (process.platform !== 'linux') throw new Error('its containers are in another machine than this process');
    const container = groupName(spec.name);
    const memory = [`--memory=${spec.memoryBytes}`, `--memory-swap=${spec.memoryBytes}`, `--cpus=${spec.cpus}`];
    const host = ['--privileged', '--pid=host', '--cgroupns=host', '--volume=/sys/fs/cgroup:/sys/fs/cgroup'];
    await command('run', '--detach', '--rm', `--name=${container}`, ...memory, ...host, IMAGE, 'sleep', '2147483647');
    try {
      const { stdout } = await command('inspect', '--format={{.State.Pid}}', container);
      const keeper = Number(stdout);
      const group = groupAt(nameOf(keeper));
      const pids = () => group.pids().filter((pid) => pid !== keeper);
      const steps = group.folders.map((folder) => `echo "$1" > "${folder}/cgroup.procs"`).join(' && ');
      return {
        wrap: (program, args) => intoBox(`docker exec ${container} sh -c '${steps}' sh $$`, program, args),
        usage: group.usage,
        pids,
        setCpus: async (cpus) => void (await command('update', `--cpus=${cpus}`, container)),
        remove: async () => {
          for (const pid of pids()) kill(pid);
          await command('rm', '--force', container);
        },
      };
    } catch (error) {
      await command('rm', '--force', container);
      throw error;
    }
  },

  async removeStale() {
    const { stdout } = await command('ps', '--all', '--format={{.Names}}');
    for (const name of stdout.split('\n').filter(isStale)) await command('rm', '--force', name);
  },
};

function command(...args: string[]) {
  return run('docker', args, { timeout: DOCKER_MS });
}

/** The memory group's name, which is that of the others too. */
function nameOf(pid: number): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const line = lines.find((candidate) => candidate.split(':')[1]?.split(',').includes('memory')) ?? lines.at(-1) ?? '';
  return line.split(':').slice(2).join(':');
}
