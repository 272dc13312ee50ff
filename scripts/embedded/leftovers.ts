/**
 * One stack per folder: `claimFolder` refuses a second one, and stops what a killed one left running.
 */
import { mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KILL_MS, POLL_MS, POSTGRES_FAST_STOP_MS, POSTGRES_IMMEDIATE_STOP_MS, WORKER_STOP_MS } from './limits.ts';
import {
  commandLineOf,
  forgetProcess,
  isAlive,
  livingProcesses,
  type ProcessRecord,
  recordProcess,
} from './process-record.ts';

const OWNER = 'start';

/** Servers that other parts depend on stop last, in this order. */
const LAST = ['mail', 'redis', 'replica', 'primary'];

/** A stack is already running in this folder. */
export class StackRunningError extends Error {
  readonly pid: number;
  constructor(folder: string, pid: number) {
    super(`a stack is already running in ${folder} (process ${pid})`);
    this.pid = pid;
  }
}

/**
 * Takes the folder for this process.
 * @returns the names of the leftovers that were stopped
 * @throws StackRunningError when a running process has claimed it
 */
export async function claimFolder(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const owner = stackOwner(folder);
  if (owner !== undefined) throw new StackRunningError(folder, owner);
  recordProcess(folder, OWNER, process.pid);
  return stopLeftovers(folder);
}

export function releaseFolder(folder: string): void {
  forgetProcess(folder, OWNER);
}

/** The pid of the process that runs a stack in this folder, if one does. */
export function stackOwner(folder: string): number | undefined {
  return livingProcesses(folder).find(({ name }) => name === OWNER)?.pid;
}

/** Stops what a killed stack left running in this folder. */
export async function stopLeftovers(folder: string): Promise<string[]> {
  const orphans = livingProcesses(folder).filter(({ name }) => name !== OWNER);
  const first = orphans.filter(({ name }) => !LAST.includes(name));
  await Promise.all(first.map((orphan) => end(orphan, [['SIGTERM', WORKER_STOP_MS]])));
  for (const name of LAST) {
    const orphan = orphans.find((candidate) => candidate.name === name);
    if (orphan !== undefined) await end(orphan, stopSteps(name));
  }
  const postmasters: string[] = [];
  for (const name of ['replica', 'primary']) {
    if (await stopPostmaster(folder, name)) postmasters.push(name);
  }
  return [...orphans.map(({ name }) => name), ...postmasters];
}

function stopSteps(name: string): [NodeJS.Signals, number][] {
  if (name === 'mail' || name === 'redis') return [['SIGTERM', WORKER_STOP_MS]];
  return [
    ['SIGINT', POSTGRES_FAST_STOP_MS],
    ['SIGQUIT', POSTGRES_IMMEDIATE_STOP_MS],
  ];
}

/**
 * PostgreSQL writes its own pid file, which exists even if our parent process died before it could write a record.
 * A stale one whose pid has been reused by another process would keep PostgreSQL from starting, so it is removed.
 */
async function stopPostmaster(folder: string, name: string): Promise<boolean> {
  const file = path.join(folder, 'postgres', name, 'postmaster.pid');
  const pid = readPid(file);
  if (pid === undefined) return false;
  // The command line contains the real folder, which may be elsewhere (postgresHome in postgres-account.ts).
  const ours = commandLineOf(pid).includes(realpathSync(path.dirname(file)));
  if (ours) {
    recordProcess(folder, name, pid);
    const orphan = livingProcesses(folder).find((candidate) => candidate.name === name);
    if (orphan !== undefined) await end(orphan, stopSteps(name));
  }
  rmSync(file, { force: true });
  return ours;
}

function readPid(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}

async function end(orphan: ProcessRecord, steps: [NodeJS.Signals, number][]): Promise<void> {
  for (const [signal, waitMs] of [...steps, ['SIGKILL', KILL_MS] as const]) {
    if (!isAlive(orphan)) return;
    // Every child leads its own group. Only SIGKILL goes to the whole group; other signals the leader passes on itself.
    send(signal === 'SIGKILL' ? -orphan.pid : orphan.pid, signal);
    const deadline = Date.now() + waitMs;
    while (isAlive(orphan) && Date.now() < deadline) await delay(POLL_MS);
  }
  if (isAlive(orphan)) throw new Error(`process ${orphan.pid} (${orphan.name}) of an earlier run cannot be stopped`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It exited between the check and the signal.
  }
}
