import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBox } from '../../bench/box/box.ts';
import { chooseDriver } from '../../bench/box/choose-driver.ts';

const { driver } = await chooseDriver();

let image: string;
beforeEach(() => {
  image = mkdtempSync(path.join(tmpdir(), 'tardigrade-image-'));
  for (const folder of ['deploy', 'dist', 'bin']) mkdirSync(path.join(image, folder));
  copyFileSync('deploy/container-entry.sh', path.join(image, 'deploy', 'container-entry.sh'));
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
