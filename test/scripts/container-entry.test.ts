import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBox } from '../../bench/box/box.ts';
import { chooseDriver } from '../../bench/box/choose-driver.ts';

const { driver } = await chooseDriver();
const ENTRY = readFileSync('deploy/container-entry.sh', 'utf8');

let image: string;
beforeEach(() => {
  image = mkdtempSync(path.join(tmpdir(), 'tardigrade-image-'));
  for (const folder of ['deploy', 'dist', 'bin']) mkdirSync(path.join(image, folder));
  writeFileSync(path.join(image, 'deploy', 'container-entry.sh'), ENTRY);
});
afterEach(() => rmSync(image, { recursive: true, force: true }));

/** What the image would start, with this program as the worker. */
function start(
  program: string,
  wrap = (command: string, args: string[]) => ({ command, args: args as readonly string[] }),
) {
  writeFileSync(path.join(image, 'dist', 'launch.js'), program);
  const node = path.join(image, 'bin', 'node');
  writeFileSync(node, `#!/bin/sh\nexec ${process.execPath} "$@"\n`);
  chmodSync(node, 0o755);
  const { command, args } = wrap('bash', [path.join(image, 'deploy', 'container-entry.sh'), 'api']);
  const child = spawn(command, args, {
    env: { ...process.env, PATH: `${path.join(image, 'bin')}:${process.env['PATH']}` },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const says = async (text: string) => {
    while (!output.includes(text)) await once(child.stdout as NodeJS.ReadableStream, 'data');
  };
  return { child, ended, says, output: () => output };
}

test('the exit code of a worker that ends by itself is the container’s', async () => {
  const { ended, output } = start('console.log("runs", process.argv[2]); process.exit(3)');
  expect((await ended)[0]).toBe(3);
  expect(output()).toBe('runs api\n');
});

test('a signal reaches the worker, and its own end is waited for', async () => {
  const { child, ended, says } = start(
    'process.on("SIGTERM", () => setTimeout(() => process.exit(7), 100)); setInterval(() => {}, 1000); console.log("up")',
  );
  await says('up');
  child.kill('SIGTERM');
  expect((await ended)[0]).toBe(7);
});

test('a worker that somebody kills is not started again here: that is the platform’s to do', async () => {
  const { ended, output } = start('console.log("runs"); process.kill(process.pid, "SIGKILL")');
  expect((await ended)[0]).toBe(137);
  expect(output()).toBe('runs\n');
});

test.skipIf(driver.name === 'none')(
  'a worker that the kernel kills for its memory runs again, and knows why',
  async () => {
    const box = await createBox({ name: 'image', memoryBytes: 96 * 2 ** 20, cpus: 1 });
    try {
      const { ended, output } = start(
        'console.log(process.env.LAST_EXIT ?? "first"); if (!process.env.LAST_EXIT) Buffer.alloc(160 * 2 ** 20, 1)',
        (command, args) => box.wrap(command, args),
      );
      expect((await ended)[0]).toBe(0);
      expect(output()).toBe('first\noom-kill\n');
      expect(box.figures().oomKills).toBe(1);
    } finally {
      await box.close();
    }
  },
);

const MADE_UP = [
  ['v1', '4:cpu,memory:/docker/7f\n0::/\n', 'cgroup/memory', 'memory.oom_control'],
  ['v2', '0::/\n', 'cgroup', 'memory.events'],
] as const;

for (const [version, membership, folder, file] of MADE_UP) {
  test.each([
    ['alone in its group', '', 'first|oom-kill|'],
    [
      'while somebody else is in the container',
      '4000001',
      'first|signal SIGKILL, which may have been the kernel because of its memory|',
    ],
  ])(`${version}: a kill that the group counts, %s`, async (_, other, says) => {
    makeUp(membership, folder, file, other);
    const { ended, output } = start(killedOnce(path.join(image, folder, file)));
    expect((await ended)[0]).toBe(0);
    expect(output().replaceAll('\n', '|')).toBe(says);
  });

  test(`${version}: a kill that only the machine counts was somebody else’s`, async () => {
    makeUp(membership, folder, file, '');
    const { ended, output } = start(killedOnce(path.join(image, 'proc', 'vmstat')));
    expect((await ended)[0]).toBe(137);
    expect(output()).toBe('first\n');
  });
}

test('where no group can be read, a kill that the machine counts may have been the worker’s', async () => {
  makeUp('', 'cgroup', 'nothing', '');
  const { ended, output } = start(killedOnce(path.join(image, 'proc', 'vmstat')));
  expect((await ended)[0]).toBe(0);
  expect(output()).toMatch(/^first\nsignal SIGKILL, which may have been the kernel/);
});

/** Files like the kernel's, in the place of the kernel's. */
function makeUp(membership: string, folder: string, file: string, others: string): void {
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(image, name)), { recursive: true });
    writeFileSync(path.join(image, name), text);
  };
  write('proc/self/cgroup', membership);
  write('proc/vmstat', 'oom_kill 5\n');
  write(`${folder}/${file}`, 'oom_kill 0\n');
  write(`${folder}/cgroup.procs`, `1\n${others}\n`.replace('\n\n', '\n'));
  const entry = ENTRY.replace('PROC=/proc', `PROC=${image}/proc`).replace('/sys/fs/cgroup', `${image}/cgroup`);
  writeFileSync(path.join(image, 'deploy', 'container-entry.sh'), entry);
}

/** A worker that is killed the first time, and counted in this file as the kernel counts. */
function killedOnce(counter: string): string {
  return `
    console.log(process.env.LAST_EXIT ?? 'first');
    if (!process.env.LAST_EXIT) {
      require('node:fs').writeFileSync(${JSON.stringify(counter)}, 'oom_kill 6\\n');
      process.kill(process.pid, 'SIGKILL');
    }`;
}
