/**
 * What it is: what must happen after a commit is written down in the same transaction, and carried to the queue from
 *   there. What fails without it: a crash between COMMIT and enqueue loses the job; an enqueue before COMMIT runs a job
 *   for something that was rolled back. How it works: `writeToOutbox` inserts a row; the relay takes rows with SKIP
 *   LOCKED, adds the jobs, deletes the rows, commits. A crash in between adds a job twice: its id makes that one.
 * What it costs: one row in and out per event, OUTBOX_EVERY_MS of delay.
 * Its bound: OUTBOX_BATCH_ROWS. Its proof: test/queue/transactional-outbox.test.ts.
 */
import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Database } from '../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../db/tenant-isolation.ts';
import { OUTBOX_BATCH_ROWS } from '../limits.ts';

export interface OutboxEvent {
  readonly id: number;
  readonly orgId: number;
  readonly topic: string;
  readonly payload: unknown;
}

/** Call it with the transaction that makes the event true. */
export async function writeToOutbox(transaction: Db, event: Omit<OutboxEvent, 'id'>): Promise<void> {
  await transaction
    .insertInto('outbox')
    .values({ org_id: event.orgId, topic: event.topic, payload: JSON.stringify(event.payload) })
    .execute();
}

/** Carries one batch. `deliver` may see an event again, so it must be idempotent. Returns how many were carried. */
export async function relayOutbox(
  database: Database,
  deliver: (events: OutboxEvent[]) => Promise<void>,
): Promise<number> {
  const { value } = await database.write(EVERY_ORGANISATION, async (transaction) => {
    const taken = await sql<{ id: number; org_id: number; topic: string; payload: unknown }>`
      delete from outbox where id in (
        select id from outbox order by id limit ${OUTBOX_BATCH_ROWS} for update skip locked
      ) returning id, org_id, topic, payload`.execute(transaction);
    const events = taken.rows.map((row) => ({ id: row.id, orgId: row.org_id, topic: row.topic, payload: row.payload }));
    if (events.length > 0) await deliver(events.sort((a, b) => a.id - b.id));
    return events.length;
  });
  return value;
}
