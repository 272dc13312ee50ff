/**
 * `npm run measure:memory`: the memory of each worker, idle after start, when run from source, compiled, and bundled.
 * Needs `npm start` running in another terminal; it measures additional workers on their own ports.
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVING_PROCESSES } from '../src/processes.ts';
import { build } from './build.ts';
import { freePort } from './embedded/ports.ts';
import { runningStackEnvironment } from './embedded/running-stack.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const OUT = path.join('.tardigrade', 'measure');
const WORKERS = SERVING_PROCESSES;
const READY_MS = 20_000;
const SETTLE_MS = 5_000;

const variants = [
  { name: 'native TypeScript', launch: path.join('workers', 'launch.ts') },
  { name: 'compiled, packages as files', packages: 'external', launch: path.join(OUT, 'launch.js') },
  { name: 'bundled (what npm start runs)', packages: 'bundled', launch: path.join(OUT, 'launch.js') },
] as const;

console.log(
  `| RSS in MB, idle ${SETTLE_MS / 1000} s after ready | ${WORKERS.join(' | ')} |\n|---|${WORKERS.map(() => '---:').join('|')}|`,
);
for (const variant of variants) {
  if ('packages' in variant) await build({ root: ROOT, packages: variant.packages, out: OUT, force: true });
  const figures: number[] = [];
  for (const worker of WORKERS) figures.push(await measure(worker, variant.launch));
  console.log(`| ${variant.name} | ${figures.join(' | ')} |`);
}
rmSync(path.join(ROOT, OUT), { recursive: true, force: true });

async function measure(worker: string, launch: string): Promise<number> {
  const [api, chat, mailer] = [await freePort(), await freePort(), await freePort()];
  const environment = await runningStackEnvironment(path.join(ROOT, '.tardigrade'), process.env);
  if (environment === undefined) throw new Error('No stack is running: run npm start in another terminal first.');
  const ports = { API_PORT: String(api), CHAT_PORT: String(chat), MAILER_PORT: String(mailer) };
  const child = spawn(process.execPath, [launch, worker], {
    cwd: ROOT,
    env: { ...environment, ...ports, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const port = { api, mailer, chat, all: api }[worker];
  try {
    const deadline = performance.now() + READY_MS;
    while (!(await isReady(`http://127.0.0.1:${port}/readyz`))) {
      if (performance.now() > deadline) throw new Error(`${worker} was not ready within ${READY_MS / 1000} s`);
      await sleep(50);
    }
    await sleep(SETTLE_MS);
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024);
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}
