import { readFileSync } from 'node:fs';

/** How many files and sockets a process of ours may have open: Node raises its own limit to the hard one. */
export function descriptorsMax(limits = readFileSync('/proc/self/limits', 'utf8')): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}
