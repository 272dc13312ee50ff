import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Box, createBox } from '../../bench/box/box.ts';
import { chooseDriver } from '../../bench/box/choose-driver.ts';
import { startChild } from '../../scripts/embedded/child.ts';
import { choosePort } from '../../scripts/embedded/ports.ts';
import { livingProcesses } from '../../scripts/embedded/process-record.ts';
import { superviseServer, superviseWorker, type Worker, type WorkerOptions } from '../../scripts/embedded/supervise.ts';

const SEEN_MS = 60_000;
const BOX_BYTES = 128 * 2 ** 20;
const EATER = 'Buffer.alloc(256 * 2 ** 20, 1)';
const { driver } = await chooseDriver();

let folder: string;
let worker: Worker | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-worker-'));
});

afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  rmSync(folder, { recursive: true, force: true });
});

test('a worker that is killed is restarted, and one that is stopped stays stopped', async () => {
  const lives: number[] = [];
  const deaths: string[] = [];
  const options = await serving({ onRestart: (pid) => lives.push(pid), onDeath: (message) => deaths.push(message) });
  worker = await superviseWorker(options);
  const first = worker.pid();
  process.kill(first, 'SIGKILL');
  await until(() => lives.length === 1);
  await until(() =>
    fetch(options.readyUrl).then(
      (response) => response.ok,
      () => false,
    ),
  );
  expect(worker.pid()).not.toBe(first);
  await worker.stop();
  // A requested stop does not count as a crash, or a restart would follow.
  expect(deaths).toHaveLength(1);
  expect(livingProcesses(folder)).toEqual([]);
});

test('without restart, a worker that dies stays down, and its last log lines are reported', async () => {
  const told: string[] = [];
  worker = await superviseWorker(await serving({ restart: false, onDeath: (message) => told.push(message) }));
  process.kill(worker.pid(), 'SIGKILL');
  await until(() => told.length === 1);
  expect(told[0]).toMatch(/signal SIGKILL[\s\S]*--no-restart[\s\S]*listening/);
  expect(livingProcesses(folder)).toEqual([]);
});

test('a worker that cannot start is an error with its last log lines', async () => {
  const options = await serving({ args: ['-e', 'console.error("DATABASE_URL is missing"); process.exit(1)'] });
  await expect(superviseWorker(options)).rejects.toThrow(/exit code 1[\s\S]*DATABASE_URL is missing/);
});

test('the next worker is told how the last one ended', async () => {
  const port = await choosePort('api', 'any');
  const program = `require('node:http').createServer((_, r) => r.end(process.env.LAST_EXIT ?? 'none')).listen(${port}, '127.0.0.1')`;
  const options = await serving({ args: ['-e', program], readyUrl: `http://127.0.0.1:${port}/readyz` });
  worker = await superviseWorker(options);
  const told = () => textOf(options.readyUrl);
  expect(await told()).toBe('none');
  process.kill(worker.pid(), 'SIGKILL');
  await until(async () => (await told()) === 'signal SIGKILL');
});

const WORDS = { meanwhile: 'mails wait', advice: 'See why in its log' };

test('a server that cannot be started again at once is tried again, and each time it is said why', async () => {
  const told: string[] = [];
  const lives: number[] = [];
  const options = await serving({});
  let tries = 0;
  const again = async () => {
    if (tries++ === 0) throw new Error('its memory is still in use');
    return startChild(options);
  };
  const server = {
    child: await startChild(options),
    stopSteps: [{ signal: 'SIGTERM', waitMs: 1_000 } as const],
    again,
  };
  worker = superviseServer(server, WORDS, {
    onDeath: (message) => told.push(message.split('\n')[0] as string),
    onRestart: (pid) => lives.push(pid),
  });
  process.kill(worker.pid(), 'SIGKILL');
  await until(() => lives.length === 1);
  expect(told).toEqual([
    expect.stringMatching(/^api died \(signal SIGKILL.*\); restart 1 of 10 in 250 ms\. Until then mails wait$/),
    'api cannot be started again: its memory is still in use; restart 2 of 10 in 500 ms. Until then mails wait',
  ]);
  expect(lives).toEqual([worker.pid()]);
});

test('without restart, a server that dies stays down, and it is said what to do', async () => {
  const told: string[] = [];
  const child = await startChild(await serving({}));
  const server = { child, stopSteps: [], again: () => Promise.reject(new Error('never asked')) };
  worker = superviseServer(server, WORDS, { restart: false, onDeath: (message) => told.push(message) });
  process.kill(worker.pid(), 'SIGKILL');
  await until(() => told.length === 1);
  expect(told[0]).toMatch(/^api died \(.*\); it is not restarted \(--no-restart\): mails wait\. See why in its log\n/);
});

describe.skipIf(driver.name === 'none')('in a group of the kernel’s', () => {
  let box: Box;
  beforeEach(async () => {
    box = await createBox({ name: 'supervised', memoryBytes: BOX_BYTES, cpus: 1 });
  });
  afterEach(() => box.close());

  test('a worker that the kernel kills for its memory is named as such', async () => {
    const { url, deaths } = await startIn(box);
    await fetch(`${url}/eat`).catch(() => undefined);
    await until(async () => (await textOf(url)).startsWith('oom-kill'));
    expect(deaths[0]).toContain('the kernel killed it because of its memory');
  });

  test('one that somebody kills is not, although the kernel has killed something elsewhere meanwhile', async () => {
    const { url } = await startIn(box);
    const other = await createBox({ name: 'elsewhere', memoryBytes: BOX_BYTES, cpus: 1 });
    try {
      await runToTheEnd(other, EATER);
      expect(other.figures().oomKills).toBe(1);
    } finally {
      await other.close();
    }
    process.kill(worker?.pid() ?? 0, 'SIGKILL');
    await until(async () => (await textOf(url)) === 'signal SIGKILL');
  });

  test('one whose neighbour in the group the kernel has killed may have been killed by it', async () => {
    const { url } = await startIn(box);
    const neighbour = inBox(box, 'setTimeout(() => {}, 60_000)');
    await until(() => box.pids().includes(neighbour.pid ?? 0));
    await runToTheEnd(box, EATER);
    process.kill(worker?.pid() ?? 0, 'SIGKILL');
    await until(async () => (await textOf(url)).includes('may have been the kernel'));
    neighbour.kill('SIGKILL');
  });
});

async function startIn(box: Box): Promise<{ url: string; deaths: string[] }> {
  const port = await choosePort('api', 'any');
  const url = `http://127.0.0.1:${port}`;
  const program = `require('node:http').createServer((request, r) => {
    if (request.url === '/eat') ${EATER};
    r.end(process.env.LAST_EXIT ?? 'none');
  }).listen(${port}, '127.0.0.1')`;
  const deaths: string[] = [];
  worker = await superviseWorker(
    await serving({
      args: ['-e', program],
      readyUrl: `${url}/readyz`,
      wrap: (_part, command, args) => {
        const line = box.wrap(command, args);
        return { command: line.command, args: [...line.args] };
      },
      onDeath: (message) => deaths.push(message),
    }),
  );
  return { url, deaths };
}

function inBox(box: Box, program: string) {
  const { command, args } = box.wrap(process.execPath, ['-e', program]);
  return spawn(command, args, { stdio: 'ignore' });
}

async function runToTheEnd(box: Box, program: string): Promise<void> {
  await once(inBox(box, program), 'exit');
}

function textOf(url: string): Promise<string> {
  return fetch(url).then(
    (response) => response.text(),
    () => '',
  );
}

async function serving(options: Partial<WorkerOptions>): Promise<WorkerOptions> {
  const port = await choosePort('api', 'any');
  const program = `require('node:http').createServer((_, r) => r.end('ok')).listen(${port}, '127.0.0.1', () => console.log('listening'))`;
  const readyUrl = `http://127.0.0.1:${port}/readyz`;
  return { folder, name: 'api', command: process.execPath, args: ['-e', program], readyUrl, ...options };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + SEEN_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not true after ${SEEN_MS} ms`);
    await delay(10);
  }
}
