import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Db } from '../../db/database.ts';

/** Moves the counters that all of a campaign's people share: last in a transaction, for whoever comes next waits for it. */
export async function addToProgress(
  db: Db,
  orgId: number,
  more: readonly { campaign_id: number; opened: number; answers: number; finished: number }[],
): Promise<void> {
  await sql`
    update campaign_progress as p
    set opened = p.opened + given.opened, answers = p.answers + given.answers, finished = p.finished + given.finished
    from ${givenRows(more, { campaign_id: 'bigint', opened: 'integer', answers: 'integer', finished: 'integer' })}
    where p.org_id = ${orgId} and p.campaign_id = any(${more.map((one) => one.campaign_id)}::bigint[])
      and p.campaign_id = given.campaign_id`.execute(db);
}
