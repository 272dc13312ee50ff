import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { PACE_EVERY_MS, PACE_MS } from './limits.ts';

/** Notes how many mails a second the campaign has sent since the last note, at most every PACE_EVERY_MS. */
export async function notePace(db: Db, orgId: number, campaignId: number): Promise<void> {
  await sql`
    update campaign_progress set
      per_second = case when noted_at > now() - make_interval(secs => ${sql.lit(PACE_MS / 1_000)})
        then (sent + failed + skipped - noted) / extract(epoch from now() - noted_at) end,
      noted = sent + failed + skipped, noted_at = now()
    where org_id = ${orgId} and campaign_id = ${campaignId}
      and coalesce(noted_at < now() - make_interval(secs => ${sql.lit(PACE_EVERY_MS / 1_000)}), true)`.execute(db);
}

/** `returned` recipients are no longer failed. */
export async function takeFromFailed(db: Db, orgId: number, campaignId: number, returned: number): Promise<void> {
  await db
    .updateTable('campaign_progress')
    .set((q) => ({ failed: q('failed', '-', returned) }))
    .where('org_id', '=', orgId)
    .where('campaign_id', '=', campaignId)
    .execute();
}
