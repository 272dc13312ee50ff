/** A process and all that came from it: PostgreSQL's children each lead a group of their own, so a group is not enough. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { birthOf } from '../../scripts/embedded/process-record.ts';
import { DEATH_MS, POLL_MS } from './limits.ts';

/** To the whole tree what a machine does to all its processes; anything else is for the leader to pass on. */
const TO_ALL: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGSTOP', 'SIGCONT'];

/** `leaders` and their trees. After SIGKILL resolves once all of them are gone. */
export async function signalTree(leaders: readonly number[], signal: NodeJS.Signals): Promise<void> {
  const tree = TO_ALL.includes(signal) ? leaders.flatMap((pid) => [pid, ...descendants(pid)]) : leaders.slice(0, 1);
  for (const one of tree) send(one, signal);
  if (signal !== 'SIGKILL') return;
  const deadline = Date.now() + DEATH_MS;
  while (tree.some((one) => birthOf(one) !== undefined)) {
    if (Date.now() > deadline) throw new Error(`process ${leaders[0]} and its children do not end`);
    await delay(POLL_MS);
  }
}

export function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    return children.map(Number).flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return [];
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone between the listing and the signal.
  }
}
