/**
 * Boxes by docker, for a user who may use it but no group of the kernel's: a container with the limits, in which a
 * `sleep` keeps the place, and into whose group each command is put before it starts. The command keeps its files,
 * its user, its pid and its stdio; only the group is docker's. Linux only: elsewhere containers are in another machine.
 *
 * The container is root's and sees the host's groups, which is all that it takes to write to them: it has no capability
 * and no network. Being allowed to use docker amounts to more than that anyway.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { intoBox, kill } from './cgroup-entry.ts';
import type { BoxSpec, Cell, Driver } from './driver.ts';
import { type Group, groupAt } from './group-at.ts';
import { groupName, isStale } from './group-name.ts';
import { DOCKER_MS, EMPTY_MS, POLL_MS } from './limits.ts';

const IMAGE = 'busybox:stable';

const run = promisify(execFile);

export const docker: Driver = {
  name: 'docker',

  async create(spec: BoxSpec): Promise<Cell> {
    if (process.platform !== 'linux') throw new Error('its containers are in another machine than this process');
    const container = groupName(spec.name);
    const memory = [`--memory=${spec.memoryBytes}`, `--memory-swap=${spec.memoryBytes}`, `--cpus=${spec.cpus}`];
    if (spec.cpuShares !== undefined) memory.push(`--cpu-shares=${spec.cpuShares}`);
    const host = ['--pid=host', '--cgroupns=host', '--volume=/sys/fs/cgroup:/sys/fs/cgroup'];
    const nothingElse = ['--user=0', '--cap-drop=ALL', '--network=none', `--name=${container}`];
    await command('run', '--detach', '--rm', ...memory, ...host, ...nothingElse, IMAGE, 'sleep', '2147483647');
    try {
      const group = await groupOf(container);
      const steps = group.folders.map((folder) => `echo "$1" > "${folder}/cgroup.procs"`).join(' && ');
      return {
        wrap: (program, args) => intoBox(`docker exec ${container} sh -c '${steps}' sh $$`, program, args),
        usage: group.usage,
        pids: group.pids,
        setCpus: async (cpus) => void (await command('update', `--cpus=${cpus}`, container)),
        remove: () => remove(container, group),
      };
    } catch (error) {
      await remove(container);
      throw error;
    }
  },

  async removeStale() {
    const { stdout } = await command('ps', '--all', '--format={{.Names}}');
    for (const name of stdout.split('\n').filter(isStale)) {
      // One that never started has no group.
      await remove(name, await groupOf(name).catch(() => undefined));
    }
  },
};

/** A container's group, and who is in it beside the `sleep`. */
async function groupOf(container: string): Promise<Group> {
  const { stdout } = await command('inspect', '--format={{.State.Pid}}', container);
  const keeper = Number(stdout);
  const group = groupAt(nameOf(keeper));
  return { ...group, pids: () => group.pids().filter((pid) => pid !== keeper) };
}

/** The processes first: docker ends only those that it started, and the kernel keeps a group for as long as one lives. */
async function remove(container: string, group?: Group): Promise<void> {
  const deadline = Date.now() + EMPTY_MS;
  for (let inside = group?.pids() ?? []; inside.length > 0; inside = group?.pids() ?? []) {
    if (Date.now() > deadline) throw new Error(`${container} cannot be removed: processes in it do not end`);
    for (const pid of inside) kill(pid);
    await delay(POLL_MS);
  }
  await command('rm', '--force', container);
}

/** @throws with what docker said */
async function command(...args: string[]) {
  try {
    return await run('docker', args, { timeout: DOCKER_MS });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw stderr ? new Error(stderr.trim(), { cause: error }) : error;
  }
}

/** The memory group's name, which is that of the others too. */
function nameOf(pid: number): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const line = lines.find((candidate) => candidate.split(':')[1]?.split(',').includes('memory')) ?? lines.at(-1) ?? '';
  return line.split(':').slice(2).join(':');
}
