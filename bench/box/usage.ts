/**
 * What the kernel's counters mean, for both versions of cgroups.
 *
 * A group is charged for the page cache too: a database that reads its files fills any limit, and the kernel takes
 * those pages back when somebody needs the room. So the peak of everything charged says that the limit held, not how
 * much was needed. `neededBytes` leaves out the cached pages of plain files, and keeps anonymous memory, shared memory,
 * kernel memory (sockets, page tables) and the pages of files that are mapped: programs and their libraries.
 *
 * A page of a file is charged to whoever read it first. A program that already ran elsewhere on the machine is in the
 * cache at somebody else's cost, and its boxes look smaller than a nano would be: the layouts therefore run copies of
 * their own of what they can (own-copy.ts), so that each box pays for its runtime.
 */
import { readFileSync } from 'node:fs';

/** `memory.stat`, `cpu.stat` and their like: one name and number per line. */
export function readStats(file: string): Record<string, number> {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', value] = line.split(' ');
      return [name, Number(value)];
    }),
  );
}

export function readNumber(file: string): number {
  return Number(readFileSync(file, 'utf8'));
}

export interface MemoryPages {
  readonly chargedBytes: number;
  readonly activeFileBytes: number;
  readonly inactiveFileBytes: number;
  /** Includes shared memory, in both versions. */
  readonly mappedBytes: number;
  readonly sharedBytes: number;
}

export function neededBytes(pages: MemoryPages): number {
  const cached = pages.activeFileBytes + pages.inactiveFileBytes;
  const programs = Math.max(0, pages.mappedBytes - pages.sharedBytes);
  // The counters are read one after the other and batched per CPU: never more than what is charged.
  return Math.max(0, Math.min(pages.chargedBytes, pages.chargedBytes - cached + Math.min(cached, programs)));
}
