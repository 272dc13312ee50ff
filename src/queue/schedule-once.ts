/**
 * What it is: several processes look for what is due, and each slot is launched once.
 * What fails without it: two processes find the same row, and both launch it; and one whose clock is behind computes the
 *   slot that was just launched as the next one.
 * How it works: one row at a time is taken under a lock that the others skip, and launched and moved to its next slot in
 *   the same transaction, so a process that dies in between has done neither. What is due is told by the database's
 *   clock, and the next slot is always after the one that was launched. After downtime, slots that were missed are
 *   launched as one. A unique constraint on what a slot launches is the last resort.
 * What it costs: one transaction per launch. Its bound: it ends when nothing is due.
 * Its proof: test/queue/schedule-once.test.ts, bench/patterns/schedule-once.
 */
import type { Database } from '../db/read-write-split.ts';
import type { Db } from '../db/schema.ts';
import { EVERY_ORGANISATION } from '../db/tenant-isolation.ts';

/** `launchNext` takes a due row `for update skip locked`, launches it, and is false when there is none. Returns how many. */
export async function launchDue(
  database: Pick<Database, 'transact'>,
  signal: AbortSignal,
  launchNext: (transaction: Db) => Promise<boolean>,
): Promise<number> {
  let launched = 0;
  while (!signal.aborted && (await database.transact(EVERY_ORGANISATION, launchNext))) launched++;
  return launched;
}

/** What `slotAfter` finds after this moment, or after `slot` if this process's clock is behind it. */
export function followingSlot<T>(slot: string, slotAfter: (after: Date) => T, now = Date.now()): T {
  return slotAfter(new Date(Math.max(now, Date.parse(slot))));
}
