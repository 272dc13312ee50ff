import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, test } from 'vitest';
import { isAlive, livingProcesses, type ProcessRecord } from '../../scripts/embedded/process-record.ts';
import { until } from '../database.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'interrupted-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends the tests and the servers that they all use', async (signal) => {
  const runner = path.resolve('node_modules/vitest/vitest.mjs');
  const tests = spawn(process.execPath, [runner, 'run', '--project=product', 'test/text.test.ts'], {
    env: { PATH: process.env['PATH'], TMPDIR: folder },
    stdio: 'ignore',
    detached: true, // a process group, as it is in a terminal
  });
  const exited = once(tests, 'exit');
  let servers: ProcessRecord[] = [];
  await until('they run', () => {
    servers = readdirSync(folder).flatMap((one) => livingProcesses(path.join(folder, one)));
    return ['primary', 'replica', 'redis', 'mail'].every((part) => servers.some(({ name }) => name === part));
  });
  process.kill(-(tests.pid as number), signal);
  await exited;
  await until('they are gone', () => !servers.some(isAlive));
});
