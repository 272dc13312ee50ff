import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { birthOf } from '../../scripts/embedded/process-record.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'stop-on-signal-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A benchmark with two servers, one of which starts again when it ends, as a supervised one does. */
const BENCHMARK = `
  const { startChild } = await import(${JSON.stringify(here('../../scripts/embedded/child.ts'))});
  const { stopOnSignal } = await import(${JSON.stringify(here('../../bench/stop-on-signal.ts'))});
  stopOnSignal();
  const start = (name) => startChild({ folder: ${JSON.stringify(folder)}, name, command: 'sleep', args: ['1000'] });
  const [plain, supervised] = [await start('plain'), await start('supervised')];
  supervised.exited.then(() => start('supervised')).then(({ pid }) => console.log(pid));
  console.log(plain.pid);
  console.log(supervised.pid);`;

test.each(['SIGINT', 'SIGTERM'] as const)('after %s nothing that a benchmark has started goes on', async (signal) => {
  const benchmark = spawn(process.execPath, ['--input-type=module', '--eval', BENCHMARK], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const pids: number[] = [];
  const exited = once(benchmark, 'exit');
  for await (const line of createInterface(benchmark.stdout)) {
    pids.push(Number(line));
    if (pids.length === 2) benchmark.kill(signal);
  }
  expect(await exited).toEqual([130, null]);
  expect(pids.map(birthOf)).toEqual(pids.map(() => undefined));
});

function here(file: string): string {
  return path.resolve(import.meta.dirname, file);
}
