import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { MAILER_NICE, POOL_THREADS_NICE } from '../limits.ts';

/** When processes share a CPU, those that serve people go first: no request waits while mails are being sent. */
export function yieldProcessor(): void {
  giveWay(process.pid, MAILER_NICE);
}

/**
 * When the threads of a process share a CPU, the one that answers requests goes first: two passwords that are being
 * hashed keep two cores busy for as long as somebody signs in, and each request would wait for its slice behind them.
 * Linux gives every thread a niceness of its own. Node starts the threads of its pool with the first work for them.
 */
export function yieldPoolThreads(): void {
  for (const thread of poolThreads()) giveWay(thread, POOL_THREADS_NICE);
}

/** Their ids; none before they have started, and outside Linux. */
export function poolThreads(): number[] {
  try {
    const threads = readdirSync(THREADS);
    return threads.filter((id) => readFileSync(`${THREADS}/${id}/comm`, 'utf8').trim() === POOL_THREAD).map(Number);
  } catch {
    return [];
  }
}

/** Where a sandbox forbids it (systemd's `@resources`), all threads are equal: slower for some, and nobody is refused. */
function giveWay(id: number, niceness: number): void {
  try {
    setPriority(id, niceness);
  } catch (error) {
    process.emitWarning(`The niceness of a thread cannot be changed here: ${(error as Error).message}`);
  }
}

const THREADS = '/proc/self/task';
const POOL_THREAD = 'libuv-worker';
