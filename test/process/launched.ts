import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from '../database.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const LAUNCH = join(ROOT, 'workers', 'launch.ts');

/** A mailer yields to everything else that runs, and gets little of a busy machine: only a test that fails takes as long. */
const READY_MS = 600_000;
/** For tests that wait for one. */
export const WITH_PROCESS_MS = READY_MS + 90_000;

export interface Launched {
  readonly child: ChildProcess;
  /** What it has written so far, both streams; `stderr` alone is what an operator sees first. */
  output(): string;
  stderr(): string;
  /** Each line of stdout that is a log line. */
  lines(): Record<string, unknown>[];
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; afterMs: number }>;
}

export async function ready(url: string): Promise<void> {
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(`ready at ${url}`, isReady, READY_MS);
}

/** A process of its own with exactly this environment; killed at the latest when the test ends. */
export function launch(args: string[], environment: Record<string, string> = {}): Launched {
  const from = performance.now();
  const child = spawn(process.execPath, args, { cwd: ROOT, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (written.stderr += text));
  const ended = new Promise<Awaited<Launched['ended']>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, afterMs: performance.now() - from }));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    child,
    ended,
    output: () => written.stdout + written.stderr,
    stderr: () => written.stderr,
    lines: () =>
      written.stdout
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line)),
  };
}
