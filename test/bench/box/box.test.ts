import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { type Box, createBox } from '../../../bench/box/box.ts';
import { chooseDriver, probeInTurn } from '../../../bench/box/choose-driver.ts';
import { noLimit } from '../../../bench/box/no-limit.ts';

const MB = 2 ** 20;
/** 0.3 s of one core, as the process itself counts them. */
const BUSY = `
  const begun = process.cpuUsage();
  for (let used = 0; used < 300_000; used = process.cpuUsage(begun).user) {
    for (let i = 0; i < 1e7; i++);
  }`;
/** Makes a box, starts something in it that does not end by itself, and says so. */
const BENCH = `
  import { spawn } from 'node:child_process';
  const { createBox } = await import(${JSON.stringify(path.resolve('bench', 'box', 'box.ts'))});
  const box = await createBox({ name: 'left', memoryBytes: 64 * 2 ** 20, cpus: 1 });
  const { command, args } = box.wrap('sh', ['-c', 'echo inside; exec sleep 1000']);
  spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });`;
const { driver, refused } = await chooseDriver();
const ENFORCED = driver.name !== 'none';
if (!ENFORCED) process.stderr.write(`Skipped: nothing here can enforce a limit.\n  ${refused.join('\n  ')}\n`);

const open: Box[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((box) => box.close()));
});

async function boxOf(memoryMb: number, cpus = 1): Promise<Box> {
  const box = await createBox({ name: 'test', memoryBytes: memoryMb * MB, cpus });
  open.push(box);
  return box;
}

/** What a program prints and how it ends, inside the box. */
async function runIn(box: Box, script: string) {
  const { command, args } = box.wrap(process.execPath, ['-e', script]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { output, code, signal, pid: child.pid };
}

describe.skipIf(!ENFORCED)('a box', () => {
  test('has the kernel kill what does not fit, and counts it', async () => {
    const box = await boxOf(96);
    const { signal } = await runIn(box, 'Buffer.alloc(160 * 2 ** 20, 1)');
    expect(signal).toBe('SIGKILL');
    expect(box.figures().oomKills).toBe(1);
    expect(box.figures().peakBytes).toBeLessThanOrEqual(96 * MB);
  });

  test('has nothing killed but what the kernel chose', async () => {
    const box = await boxOf(96);
    const { command, args } = box.wrap('sh', [
      '-c',
      `"$0" -e 'Buffer.alloc(160 * 2 ** 20, 1)'; echo on`,
      process.execPath,
    ]);
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
    expect(box.figures().oomKills).toBe(1);
    expect(output).toBe('on\n');
  });

  test('charges what its processes take, from their first page on', async () => {
    const box = await boxOf(256);
    await runIn(box, 'Buffer.alloc(100 * 2 ** 20, 1)');
    const { peakBytes, oomKills } = box.figures();
    expect(oomKills).toBe(0);
    expect(peakBytes).toBeGreaterThan(100 * MB);
    expect(peakBytes).toBeLessThan(220 * MB);
  });

  test('charges children too', async () => {
    const box = await boxOf(256);
    const child =
      "require('node:child_process').execFileSync(process.execPath, ['-e', 'Buffer.alloc(100 * 2 ** 20, 1)'])";
    await runIn(box, child);
    expect(box.figures().peakBytes).toBeGreaterThan(100 * MB);
  });

  test('is what a process inside sees as its memory', async () => {
    const box = await boxOf(200);
    const { output } = await runIn(box, 'console.log(process.constrainedMemory())');
    expect(Number(output)).toBe(200 * MB);
  });

  test('runs the command under the pid of its child process, so that signals reach it', async () => {
    const { output, pid } = await runIn(await boxOf(200), 'console.log(process.pid)');
    expect(Number(output)).toBe(pid);
  });

  test('hands the arguments on as they are', async () => {
    const box = await boxOf(200);
    const { command, args } = box.wrap(process.execPath, ['-p', 'process.argv[1]', `a "b" $HOME 'c'`]);
    const child = spawn(command, args);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    await once(child, 'close');
    expect(output).toBe(`a "b" $HOME 'c'\n`);
  });

  test('holds CPU back, and says for how long', async () => {
    const box = await boxOf(200, 0.2);
    await runIn(box, BUSY);
    const { cpuSeconds, throttledSeconds } = box.figures();
    expect(cpuSeconds).toBeGreaterThan(0.3);
    // At a fifth of a core, each second of work waits about four.
    expect(throttledSeconds).toBeGreaterThan(cpuSeconds);
  });

  test('can be given more or less CPU while it runs', async () => {
    const box = await boxOf(200, 2);
    await runIn(box, BUSY);
    const before = box.figures().throttledSeconds;
    await box.setCpus(0.2);
    await runIn(box, BUSY);
    expect(box.figures().throttledSeconds).toBeGreaterThan(before + 0.2);
  });

  test('leaves the page cache out of what is used, but not out of what is charged', async () => {
    const box = await boxOf(256);
    const script = `
      const { writeFileSync, rmSync } = require('node:fs');
      // /tmp is memory on many machines.
      const file = '/var/tmp/tardigrade-box-test-' + process.pid;
      writeFileSync(file, Buffer.alloc(64 * 2 ** 20, 1));
      console.log(file);
      process.on('exit', () => rmSync(file));
      setInterval(() => {}, 1e6);
      process.on('SIGTERM', () => process.exit());`;
    const { command, args } = box.wrap(process.execPath, ['-e', script]);
    const child = spawn(command, args);
    await once(child.stdout, 'data');
    expect(box.chargedBytes() - box.usedBytes()).toBeGreaterThan(50 * MB);
    child.kill('SIGTERM');
    await once(child, 'close');
  });

  test('ends what is still inside when it closes, keeps its figures, and leaves no group behind', async () => {
    const box = await boxOf(200);
    const { command, args } = box.wrap(process.execPath, ['-e', 'console.log(); setInterval(() => {}, 1e6)']);
    const child = spawn(command, args);
    await once(child.stdout, 'data');
    expect(box.pids()).toEqual([child.pid]);
    const ended = once(child, 'close');
    await box.close();
    expect((await ended)[1]).toBe('SIGKILL');
    expect(box.figures().peakBytes).toBeGreaterThan(MB);
    expect(box.pids()).toEqual([]);
    expect(leftBy(process.pid)).toEqual([]);
  });

  test('refuses a name that would lead out of its folder', async () => {
    await expect(createBox({ name: '../x', memoryBytes: 64 * MB, cpus: 1 })).rejects.toThrow("A box's name is made of");
  });
});

describe.skipIf(!ENFORCED)('what a killed bench left behind', () => {
  test('is ended and removed at the next start', async () => {
    const bench = spawn(process.execPath, ['--input-type=module', '-e', BENCH], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(bench.stdout, 'data');
    bench.kill('SIGKILL');
    await once(bench, 'exit');
    expect(leftBy(bench.pid)).not.toEqual([]);
    // It is held open by what still runs in the box.
    const ended = once(bench.stdout.resume(), 'close');
    const living = await boxOf(64);

    await driver.removeStale();

    await ended;
    expect(leftBy(bench.pid)).toEqual([]);
    expect(living.figures().limitBytes).toBe(64 * MB);
    expect(leftBy(process.pid)).not.toEqual([]);
  });
});

describe('the choice of a driver', () => {
  test('passes over one that takes a limit and does not enforce it', async () => {
    const pretender = { ...noLimit, name: 'cgroup v2' } as const;
    const { driver: chosen, refused: why } = await probeInTurn([pretender]);
    expect(chosen.name).toBe('none');
    expect(why).toEqual(['cgroup v2: took the limit, and did not enforce it']);
  });

  test('says of each driver why it does not do', async () => {
    const absent = { ...noLimit, name: 'docker', create: () => Promise.reject(new Error('no docker\nhere')) } as const;
    expect((await probeInTurn([absent])).refused).toEqual(['docker: no docker']);
  });
});

/** Groups of the boxes that a process made, and what systemd or docker keeps of them. */
function leftBy(pid: number | undefined): string[] {
  if (driver.name === 'docker') {
    // The group itself goes by the container's number.
    const names = execFileSync('docker', ['ps', '--all', '--format={{.Names}}'], { encoding: 'utf8' }).split('\n');
    return names.filter((name) => name.startsWith(`tardigrade-${pid}-`));
  }
  return ['/sys/fs/cgroup', '/run/systemd', `/run/user/${process.getuid?.()}/systemd`].flatMap((folder) =>
    globSync([`**/tardigrade-${pid}-*`, `**/tardigrade_${pid}_*`], { cwd: folder }),
  );
}
