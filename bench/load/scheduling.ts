/**
 * In the world load comes from machines of its own; here it shares one with what is measured. Whoever measures goes first
 * then, and whoever attacks goes last, as far as the system lets us ask for that: see sched(7).
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, constants, setPriority } from 'node:os';

const OWN_PID = String(process.pid);
/** Of this process, where the kernel shares between sessions first (autogroup): it is the only one of its (`ownSession`). */
const SESSION_PRIORITY = '/proc/self/autogroup';

/**
 * A priority counts only among the processes of a session, and a box and a session have equal shares: for whoever
 * measures it would be a wait of up to 20 ms behind the threads of one box (sched_switch, many headers, 27 November 2026).
 * The realtime policies go before all of them.
 */
export function goFirst(): void {
  if (!changed('chrt', '--all-tasks', '--rr', '--pid', '1', OWN_PID)) prioritise(constants.priority.PRIORITY_HIGHEST);
}

/** As every program does: for a generator of which nobody measures the time. */
export function goAlong(): void {
  changed('chrt', '--all-tasks', '--other', '--pid', '0', OWN_PID);
  prioritise(constants.priority.PRIORITY_NORMAL);
}

/** Of one core what the product leaves. */
export function goLast(): void {
  goAlong();
  prioritise(constants.priority.PRIORITY_LOW);
  try {
    writeFileSync(SESSION_PRIORITY, String(constants.priority.PRIORITY_LOW));
  } catch {} // not every kernel has it
  const last = availableParallelism() - 1;
  if (last > 0) changed('taskset', '--all-tasks', '--pid', '--cpu-list', String(last), OWN_PID);
}

function prioritise(priority: number): void {
  try {
    setPriority(priority);
  } catch {} // not everybody may
}

function changed(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false; // neither has every system, nor may everybody
  }
}
