/**
 * Names of groups carry the process that made them: `tardigrade-<pid>-<birth>-<box>`. One whose maker is dead is stale,
 * whatever killed it. The birth, in the kernel's words, tells a process from a later one with the same number.
 */
import { birthOf } from '../../scripts/embedded/process-record.ts';

const PREFIX = 'tardigrade-';

let made = 0;

/** A name that no other box has: two of one process may share theirs. */
export function groupName(box: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(box)) {
    throw new Error(`A box's name is made of a-z, 0-9 and hyphens, not ${JSON.stringify(box)}`);
  }
  return `${PREFIX}${process.pid}-${birthOf(process.pid)}-${made++}-${box}`;
}

export function isStale(name: string): boolean {
  const [, pid, birth] = /^tardigrade-(\d+)-(\d+)-\d+-/.exec(name) ?? [];
  return pid !== undefined && birthOf(Number(pid)) !== birth;
}
