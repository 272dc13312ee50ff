/**
 * A child process of the stack, with its log in a file.
 *
 * Each child leads its own process group: otherwise a Ctrl-C in the terminal would go to all of them, and PostgreSQL
 * would be gone before the workers had closed their connections. Only `stop` ends a child.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KILL_MS, LOG_BYTES_MAX, LOG_TAIL_BYTES, LOG_TAIL_LINES, POLL_MS } from './limits.ts';
import { forgetProcess, recordProcess } from './process-record.ts';

export type Child = {
  name: string;
  pid: number;
  /** Resolves with how the child ended (`exit code 1`, `signal SIGKILL`); never rejects. */
  exited: Promise<string>;
  hasExited: () => boolean;
  /** What it has logged since this start, at most the last LOG_TAIL_LINES lines. */
  logTail: () => string;
  /** Sends the signals in turn, waiting after each; ends with SIGKILL to the whole group. */
  stop: (steps: StopStep[]) => Promise<void>;
};

/** A child that is ready, and how to have another one like it. */
export type Startable = {
  child: Child;
  stopSteps: StopStep[];
  /** The same again, on the same data; resolves when it is ready, and leaves nothing behind when it rejects. */
  again: (signal: AbortSignal) => Promise<Child>;
};

export type StopStep = { signal: NodeJS.Signals; waitMs: number };

export type ChildOptions = {
  /** The stack's folder: the log goes to `logs/<name>.log`, the pid to `run/<name>.json`. */
  folder: string;
  name: string;
  command: string;
  args: string[];
  cwd?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  wrap?: WrapCommand | undefined;
};

/** Wraps a part's command (the bench: in a box). The wrapper must exec the command, so that the pid stays the same. */
export type WrapCommand = (part: string, command: string, args: string[]) => { command: string; args: string[] };

const living = new Set<Child>();

/** The newest first, until none is left: one that is supervised may have started again meanwhile. */
export async function stopAllChildren(steps: StopStep[]): Promise<void> {
  while (living.size > 0) for (const child of [...living].toReversed()) await child.stop(steps);
}

/** For a program that can end without having stopped them: then they are told to, and not waited for. */
export function endChildrenAtExit(): void {
  process.on('exit', () => {
    // PostgreSQL does not wait for its clients then, and still gives back its shared memory.
    for (const child of living) process.kill(child.pid, 'SIGQUIT');
  });
}

/** Starts a child. Rejects only if the command cannot be run at all. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { folder, name, cwd, env } = options;
  const { command, args, ...account } = commandLine(options);
  const log = openLog(folder, name);
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: env ?? process.env,
    ...(cwd === undefined ? {} : { cwd }),
    ...account,
  });
  closeSync(log.fd);

  let ended = false;
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true;
      living.delete(started);
      forgetProcess(folder, name);
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}`, { cause: error })));
  });
  const pid = child.pid as number;

  const started: Child = {
    name,
    pid,
    exited,
    hasExited: () => ended,
    logTail: () => tail(log.file, log.offset),
    stop: async (steps) => {
      for (const { signal, waitMs } of steps) {
        if (ended) return;
        child.kill(signal);
        await Promise.race([exited, delay(waitMs, undefined, { ref: false })]);
      }
      if (ended) return;
      killGroup(pid);
      await Promise.race([exited, delay(KILL_MS, undefined, { ref: false })]);
    },
  };
  if (!ended) {
    living.add(started);
    recordProcess(folder, name, pid);
  }
  return started;
}

export type ReadyWhen = {
  ready: (child: Child) => boolean | Promise<boolean>;
  deadlineMs: number;
  stopSteps: StopStep[];
  signal?: AbortSignal | undefined;
};

/** Starts a child and waits until it is ready; stops it when it is not, and throws as `waitForChild` does. */
export async function startReady(options: ChildOptions, when: ReadyWhen): Promise<Child> {
  const child = await startChild(options);
  try {
    await waitForChild(child, when.deadlineMs, () => when.ready(child), when.signal);
    return child;
  } catch (error) {
    await child.stop(when.stopSteps);
    throw error;
  }
}

/**
 * Polls until `ready` returns true.
 * Throws with the child's last log lines if it exits first or the deadline (ms) passes, and when `signal` aborts.
 */
export async function waitForChild(
  child: Child,
  deadlineMs: number,
  ready: () => boolean | Promise<boolean>,
  signal?: AbortSignal,
) {
  const deadline = Date.now() + deadlineMs;
  while (!(await ready())) {
    signal?.throwIfAborted();
    if (child.hasExited()) throw withLog(child, `${child.name} ended while starting (${await child.exited})`);
    if (Date.now() > deadline) throw withLog(child, `${child.name} was not ready after ${deadlineMs} ms`);
    await delay(POLL_MS);
  }
}

/** Runs a command to completion; throws with its output unless it succeeds. */
export async function runToEnd(options: ChildOptions & { deadlineMs: number }): Promise<void> {
  const child = await startChild(options);
  const outcome = await Promise.race([child.exited, delay(options.deadlineMs, 'no end', { ref: false })]);
  if (outcome === 'exit code 0') return;
  await child.stop([]);
  throw withLog(child, `${options.name} failed (${outcome})`);
}

/** Truncates a log that has grown beyond LOG_BYTES_MAX. Its writer appends, so it continues from the start. */
export function boundLog(folder: string, name: string): void {
  closeSync(openLog(folder, name).fd);
}

function commandLine({ name, command, args, uid, gid, wrap }: ChildOptions) {
  const account = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
  if (wrap === undefined) return { command, args, ...account };
  if (uid === undefined) return wrap(name, command, args);
  // The wrapper may need our privileges; only the command itself drops them.
  const asAccount = [`--reuid=${uid}`, `--regid=${gid ?? uid}`, '--clear-groups', '--', command, ...args];
  return wrap(name, 'setpriv', asAccount);
}

function withLog(child: Child, message: string): Error {
  const lines = child.logTail();
  return new Error(lines === '' ? `${message}; it logged nothing` : `${message}; its last lines:\n${lines}`);
}

function openLog(folder: string, name: string) {
  const file = path.join(folder, 'logs', `${name}.log`);
  mkdirSync(path.dirname(file), { recursive: true });
  const fd = openSync(file, 'a', 0o600);
  if (fstatSync(fd).size > LOG_BYTES_MAX) ftruncateSync(fd, 0);
  return { file, fd, offset: fstatSync(fd).size };
}

function tail(file: string, since: number): string {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(size < since ? 0 : since, size - LOG_TAIL_BYTES);
    const buffer = Buffer.alloc(size - from);
    readSync(fd, buffer, 0, buffer.length, from);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  } finally {
    closeSync(fd);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
