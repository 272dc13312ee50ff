import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Database } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { forgetRows, type Retention } from '../../queue/retention.ts';
import { CAMPAIGN_DAYS } from './limits.ts';

export const retention = {
  campaigns: {
    deleted: `${CAMPAIGN_DAYS} days after they were sent or cancelled; drafts and those that repeat are kept until then`,
    forget: forgetOldCampaigns,
  },
  campaign_progress: { deletedWith: 'campaigns' },
  reach_outs: { deletedWith: 'campaigns' },
} as const satisfies Retention;

/** The ledger first: a campaign can have 30,000 rows in it, and a foreign key would delete them in one statement. */
export async function forgetOldCampaigns(database: Database, signal: AbortSignal): Promise<number> {
  await forgetRows(database, signal, deleteOldReachOuts);
  return forgetRows(database, signal, deleteOldCampaigns);
}

async function deleteOldReachOuts(db: Db, rows: number): Promise<number> {
  const old = await sql<{ org_id: number; id: number }>`
    select r.org_id, r.id from campaigns c
    join reach_outs r on r.org_id = c.org_id and r.campaign_id = c.id
    where c.finished_at < now() - make_interval(days => ${CAMPAIGN_DAYS}::int)
    limit ${rows}`.execute(db);
  if (old.rows.length === 0) return 0;
  await sql`
    delete from reach_outs using ${givenRows(old.rows, { id: 'bigint', org_id: 'bigint' })}
    where reach_outs.org_id = given.org_id and reach_outs.id = given.id`.execute(db);
  return old.rows.length;
}

async function deleteOldCampaigns(db: Db, rows: number): Promise<number> {
  const deleted = await sql`
    delete from campaigns where (org_id, id) in (
      select org_id, id from campaigns where finished_at < now() - make_interval(days => ${CAMPAIGN_DAYS}::int)
      order by finished_at limit ${rows} for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
