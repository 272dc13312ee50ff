import { sql } from 'kysely';
import { dayIn } from '../../dates.ts';
import type { Database } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { NAME_CHARS_MAX } from '../../limits.ts';
import { launchIn } from './campaigns.ts';
import { nextSlot } from './launch-times.ts';
import { insertCampaign } from './queries.ts';

/**
 * Launches every campaign that is due, one per transaction. Safe to run in several processes: the row lock gives a
 * campaign to one of them, and a unique constraint allows one copy per slot, so no one gets the same mail twice.
 * After downtime a repeating campaign is launched once, not once for every slot that was missed.
 * Returns how many were launched.
 */
export async function launchDueCampaigns(database: Database, signal: AbortSignal): Promise<number> {
  let launched = 0;
  while (!signal.aborted && (await database.transact(EVERY_ORGANISATION, launchNext))) launched++;
  return launched;
}

async function launchNext(transaction: Db): Promise<boolean> {
  const due = await transaction
    .selectFrom('campaigns')
    .where('status', '=', sql.lit('scheduled')) // a literal, because the index covers this status only
    .where('launch_at', '<=', sql<string>`now()`)
    .orderBy('launch_at')
    .limit(1)
    .selectAll()
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (due === undefined) return false;
  if (due.cron === null) return launchIn(transaction, due.org_id, due.id);

  const slot = due.launch_at as string;
  const copy = await insertCampaign(transaction, due.org_id, {
    name: `${due.name}, ${dayIn(due.time_zone, new Date(slot))}`.slice(0, NAME_CHARS_MAX),
    subject: due.subject,
    body: due.body,
    questions: due.questions,
  });
  await transaction
    .updateTable('campaigns')
    .set({ parent_id: due.id, launch_at: slot, time_zone: due.time_zone })
    .where('org_id', '=', due.org_id)
    .where('id', '=', copy)
    .execute();
  await launchIn(transaction, due.org_id, copy);
  // Always after this slot: a process whose clock is behind the database's would find the same one again.
  const next = nextSlot(due.cron, due.time_zone, new Date(Math.max(Date.now(), Date.parse(slot))));
  await transaction
    .updateTable('campaigns')
    .set(next === null ? { status: 'done', finished_at: sql`now()` } : { launch_at: next })
    .where('org_id', '=', due.org_id)
    .where('id', '=', due.id)
    .execute();
  return true;
}
