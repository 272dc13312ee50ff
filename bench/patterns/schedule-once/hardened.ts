import { sql } from 'kysely';
import type { Database } from '../../../src/db/read-write-split.ts';
import { followingSlot, launchDue } from '../../../src/queue/schedule-once.ts';
import { slotAfter } from './case.ts';

/** One at a time, under a lock that the other process skips, and on to a slot after the one that was launched. */
export async function launchDueSchedules(database: Database, now: () => number): Promise<void> {
  await launchDue(database, new AbortController().signal, async (transaction) => {
    const { rows } = await sql<{ id: number; launch_at: string }>`
      select id, launch_at from schedules where launch_at <= now() order by id limit 1 for update skip locked`.execute(
      transaction,
    );
    const [due] = rows;
    if (due === undefined) return false;
    const { id, launch_at: slot } = due;
    const next = followingSlot(slot, (after) => slotAfter(new Date(slot), after), now());
    await sql`insert into launches (schedule, slot) values (${id}, ${slot}::timestamptz)`.execute(transaction);
    await sql`update schedules set launch_at = ${next.toISOString()}::timestamptz where id = ${id}`.execute(
      transaction,
    );
    return true;
  });
}
