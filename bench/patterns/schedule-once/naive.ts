import { sql } from 'kysely';
import type { Database } from '../../../src/db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { slotAfter } from './case.ts';

/** Reads what is due, launches it, and moves it on to its next slot after this moment. */
export async function launchDueSchedules(database: Database, now: () => number): Promise<void> {
  const { rows: due } = await sql<{ id: number; launch_at: string }>`
    select id, launch_at from schedules where launch_at <= now() order by id`.execute(
    database.primary(EVERY_ORGANISATION),
  );
  for (const { id, launch_at } of due) {
    const next = slotAfter(new Date(launch_at), new Date(now()));
    await database.transact(EVERY_ORGANISATION, async (transaction) => {
      await sql`insert into launches (schedule, slot) values (${id}, ${launch_at}::timestamptz)`.execute(transaction);
      await sql`update schedules set launch_at = ${next.toISOString()}::timestamptz where id = ${id}`.execute(
        transaction,
      );
    });
  }
}
