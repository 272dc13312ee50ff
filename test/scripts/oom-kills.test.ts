import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { GROUP_EVERY_MS } from '../../scripts/embedded/limits.ts';
import { watchOomKills } from '../../scripts/embedded/oom-kills.ts';

const PID = 4_000_001; // of nobody

let proc: string;
let cgroups: string;
beforeEach(() => {
  const root = mkdtempSync(path.join(tmpdir(), 'tardigrade-groups-'));
  proc = path.join(root, 'proc');
  cgroups = path.join(root, 'cgroup');
  vmstat(7);
});
afterEach(() => rmSync(path.dirname(proc), { recursive: true, force: true }));

const VERSIONS = [
  ['v1', `9:pids:/\n4:memory,hugetlb:/worker\n0::/elsewhere\n`, 'memory/worker', 'memory.oom_control'],
  ['v2', `0::/worker\n`, 'worker', 'memory.events'],
] as const;

for (const [version, membership, folder, file] of VERSIONS) {
  const kills = (count: number) =>
    write(cgroups, `${folder}/${file}`, `oom 3\noom_kill_disable 0\noom_kill ${count}\n`);
  const members = (...pids: number[]) => write(cgroups, `${folder}/cgroup.procs`, `${pids.join('\n')}\n`);
  const watch = () => {
    write(proc, `${PID}/cgroup`, membership);
    return watchOomKills(PID, { proc, cgroups });
  };

  test(`${version}: a kill in a group of its own was its own`, () => {
    kills(2);
    members(PID, process.pid);
    const watched = watch();
    kills(3);
    members(process.pid);
    expect(watched.verdict()).toBe('yes');
  });

  test(`${version}: a kill elsewhere on the machine was somebody else’s`, () => {
    kills(2);
    members(PID);
    const watched = watch();
    vmstat(8);
    expect(watched.verdict()).toBe('no');
  });

  test(`${version}: a kill in a group that it shares may have been its own`, () => {
    kills(0);
    members(PID, PID + 1);
    const watched = watch();
    kills(1);
    members();
    expect(watched.verdict()).toBe('perhaps');
  });

  test(`${version}: somebody who came later shares the group too`, () => {
    kills(0);
    members(PID);
    const watched = watch();
    kills(1);
    members(PID + 1);
    expect(watched.verdict()).toBe('perhaps');
  });

  test(`${version}: in a container the mount begins at its own group`, () => {
    write(cgroups, `${path.dirname(folder)}/${file}`, 'oom_kill 0\n');
    const watched = watch();
    write(cgroups, `${path.dirname(folder)}/${file}`, 'oom_kill 1\n');
    expect(watched.verdict()).toBe('yes');
  });
}

test('v1: a process that is seen while it ends, when the kernel says that it is in the root, was still in its group', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  write(cgroups, 'memory/memory.oom_control', 'oom_kill 5\n');
  write(cgroups, 'memory/worker/memory.oom_control', 'oom_kill 0\n');
  write(proc, `${PID}/cgroup`, '4:memory:/worker\n');
  write(proc, `${PID}/stat`, `${PID} (node) 0) S 1 1 1 0 -1 4194304 0\n`);
  const watched = watchOomKills(PID, { proc, cgroups });

  write(cgroups, 'memory/worker/memory.oom_control', 'oom_kill 1\n');
  write(proc, `${PID}/cgroup`, '4:memory:/\n');
  write(proc, `${PID}/stat`, `${PID} (node) 0) R 1 1 1 0 -1 4194308 0\n`);
  vi.advanceTimersByTime(GROUP_EVERY_MS);
  expect(watched.verdict()).toBe('yes');
});

test.each([
  ['the root of v2 counts nothing', '0::/\n'],
  ['a process that cannot be looked at', ''],
])('%s: a kill on the machine may have been its own', (_, membership) => {
  mkdirSync(cgroups);
  write(proc, `${PID}/cgroup`, membership);
  const watched = watchOomKills(PID, { proc, cgroups });
  vmstat(8);
  expect(watched.verdict()).toBe('perhaps');
});

test('outside Linux nothing is known, and nothing is said', () => {
  rmSync(proc, { recursive: true });
  expect(watchOomKills(PID, { proc, cgroups }).verdict()).toBe('no');
});

function vmstat(kills: number): void {
  write(proc, 'vmstat', `pgfault 12\noom_kill ${kills}\n`);
}

function write(root: string, name: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}
