/**
 * In the world load comes from machines of its own; here it shares one with what is measured. Whoever measures goes first
 * then, and whoever attacks goes last, as far as the system lets us ask for that: see sched(7).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/** Round robin among its own kind, at the lowest of the realtime levels. */
const POLICY = '--rr';
const LEVEL = '1';
/** The priority of a whole session, where the kernel shares between sessions first: it counts for this process alone. */
const SESSION_PRIORITY = '/proc/self/autogroup';

/** Whether this system lets us go first. Where it does not, a measured time can hold a wait for a processor. */
export function mayGoFirst(): boolean {
  return spawnSync('chrt', [POLICY, LEVEL, 'true']).status === 0;
}

/**
 * A priority counts only among the processes of a session, and a box and a session have equal shares: with no more than that
 * a generator waited behind the threads of one box for 8 ms at p99 and 20 ms at most (sched_switch, many headers, 27 November
 * 2026). The realtime policies go before all of them.
 */
export function goFirst(): void {
  if (!changeThreads('chrt', POLICY, '--pid', LEVEL)) prioritise(constants.priority.PRIORITY_HIGHEST);
}

/** Takes what the product leaves of one core. For a process that is the only one of its session (`ownSession`). */
export function goLast(): void {
  prioritise(constants.priority.PRIORITY_LOW);
  try {
    writeFileSync(SESSION_PRIORITY, String(constants.priority.PRIORITY_LOW));
  } catch {} // not every kernel has it
  const cores = coresAllowed();
  if (cores.length > 1) changeThreads('taskset', '--pid', '--cpu-list', String(cores.at(-1)));
}

function prioritise(priority: number): void {
  try {
    setPriority(priority);
  } catch {} // not everybody may
}

/** Neither has every system these commands, nor may everybody. */
function changeThreads(command: string, ...args: string[]): boolean {
  return spawnSync(command, ['--all-tasks', ...args, String(process.pid)], { stdio: 'ignore' }).status === 0;
}

/** The first and the last of each range, in order: `0-3,8` is 0, 3 and 8. */
function coresAllowed(): number[] {
  try {
    const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return list?.split(/[-,]/).map(Number) ?? [];
  } catch {
    return []; // not Linux
  }
}
