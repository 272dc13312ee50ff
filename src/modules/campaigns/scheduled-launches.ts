import { sql } from 'kysely';
import { dayIn } from '../../dates.ts';
import type { Database } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { NAME_CHARS_MAX } from '../../limits.ts';
import { followingSlot, launchDue } from '../../queue/schedule-once.ts';
import { launchIn } from './campaigns.ts';
import { nextSlot } from './launch-times.ts';
import { insertCampaign } from './state-queries.ts';

/** Launches every campaign that is due, once. A unique constraint allows one copy per slot. Returns how many. */
export function launchDueCampaigns(database: Database, signal: AbortSignal): Promise<number> {
  return launchDue(database, signal, launchNext);
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
  const schedule = { orgId: due.org_id, name: 'the schedule' };
  if (due.cron === null) return launchIn(transaction, schedule, due.id);

  const slot = due.launch_at as string;
  const copy = await insertCampaign(transaction, due.org_id, {
    name: nameOfCopy(due.name, dayIn(due.time_zone, new Date(slot))),
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
  await launchIn(transaction, schedule, copy);
  const { cron, time_zone: timeZone } = due;
  const next = followingSlot(slot, (after) => nextSlot(cron, timeZone, after));
  await transaction
    .updateTable('campaigns')
    .set(next === null ? { status: 'done', finished_at: sql`now()` } : { launch_at: next })
    .where('org_id', '=', due.org_id)
    .where('id', '=', due.id)
    .execute();
  return true;
}

/** Whose day tells it from the others, so a name that is too long is cut instead: by characters, not through one. */
function nameOfCopy(name: string, day: string): string {
  const kept = [...name].slice(0, NAME_CHARS_MAX - `, ${day}`.length).join('');
  return `${kept.trimEnd()}, ${day}`;
}
