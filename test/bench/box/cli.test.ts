import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { chooseDriver } from '../../../bench/box/choose-driver.ts';

const CLI = path.resolve('bench', 'box', 'cli.ts');
const ALLOCATE = 'const kept = []; for (let i = 0; i < 60; i++) kept.push(Buffer.alloc(10 * 2 ** 20, 1))';
const enforced = (await chooseDriver()).driver.name !== 'none';

function start(...args: string[]) {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, ...output }));
  return { child, ended };
}

describe.skipIf(!enforced)('npm run box', () => {
  test('reports a program that takes 600 MB of 512 as killed, and exits with 137', async () => {
    const { code, stderr } = await start('--memory', '512m', '--', process.execPath, '-e', ALLOCATE).ended;
    expect(code).toBe(137);
    expect(stderr).toMatch(/OOM kill +yes, 1: it needs more than 512.0 MB/);
    expect(stderr).toMatch(/peak memory +51[12]\.\d MB/);
  });

  test('hands on the exit code of its command', async () => {
    expect((await start('--', 'sh', '-c', 'exit 7').ended).code).toBe(7);
    expect((await start('--', 'true').ended).code).toBe(0);
    expect((await start('--', 'no-such-command').ended).code).toBe(127);
    expect((await start('--', 'sh', '-c', 'kill -TERM $$').ended).code).toBe(143);
  });

  test('hands on 137 when a child of its command was killed for want of memory, whatever the command says', async () => {
    const { code, stderr } = await start(
      '--memory',
      '96m',
      '--',
      'sh',
      '-c',
      `'${process.execPath}' -e '${ALLOCATE}'; true`,
    ).ended;
    expect(stderr).toMatch(/OOM kill +yes/);
    expect(code).toBe(137);
  });

  test('leaves standard input and output to its command, and reports on standard error', async () => {
    const { child, ended } = start('--', 'cat');
    child.stdin.end('through');
    const { stdout, stderr } = await ended;
    expect(stdout).toBe('through');
    expect(stderr).toMatch(/box \(.+, 512\.0 MB, 2 CPU\)\n.*peak memory.*\n.*CPU.*\n +OOM kill +no\n +exit code +0/);
  });

  test('passes a signal on, and lets its command decide what it means', async () => {
    const script = "process.on('SIGTERM', () => process.exit(5)); console.log('ready'); setInterval(() => {}, 1e6)";
    const { child, ended } = start('--', process.execPath, '-e', script);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(5);
  });

  test('tells how long a tenth of a core held its command back', async () => {
    const busy =
      'const begun = process.cpuUsage(); do for (let i = 0; i < 1e7; i++); while (process.cpuUsage(begun).user < 100_000)';
    const { stderr } = await start('--cpus', '0.1', '--', process.execPath, '-e', busy).ended;
    expect(Number(/held back by the limit ([\d.]+) s/.exec(stderr)?.[1])).toBeGreaterThan(0.1);
  });
});

describe('npm run box, asked for nonsense,', () => {
  test.each([
    [['--memory', 'much', '--', 'true'], '--memory is a size like 512m or 1g'],
    [['--memory', '1k', '--', 'true'], 'at least 4.0 MB'],
    [['--cpus', '0', '--', 'true'], '--cpus is a number of cores'],
    [['--cpu', '1', '--', 'true'], "Unknown option '--cpu'"],
    [[], 'Which command?'],
  ])('%j says what is wrong, how it is used, and exits with 64', async (args, message) => {
    const { code, stderr } = await start(...args).ended;
    expect(code).toBe(64);
    expect(stderr).toContain(message);
    expect(stderr).toContain('npm run box -- [--memory 512m]');
  });
});
