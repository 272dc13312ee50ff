import { type RawBuilder, sql, type UpdateObject } from 'kysely';
import { CURRENT_POSITION } from '../../db/failover-position.ts';
import type { Db, Schema } from '../../db/schema.ts';
import type { CampaignStatus, Question } from './queries.ts';

type Content = { name: string; subject: string; body: string; questions: readonly Question[] };

export async function insertCampaign(db: Db, orgId: number, content: Content): Promise<number> {
  const { id } = await db
    .insertInto('campaigns')
    .values({
      org_id: orgId,
      name: content.name,
      subject: content.subject,
      body: content.body,
      questions: JSON.stringify(content.questions),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db.insertInto('campaign_progress').values({ org_id: orgId, campaign_id: id }).execute();
  return id;
}

/** A campaign that goes on, or ends, is no longer paused. */
export const NOT_PAUSED = { paused_about: null, paused_reason: null, paused_at: null, next_try_at: null } as const;

export type CampaignUpdate = Omit<UpdateObject<Schema, 'campaigns'>, 'status'>;

/** False when the campaign is in none of the states `from`. Fields that are left out stay as they are. */
export async function updateCampaign(
  db: Db,
  orgId: number,
  id: number,
  from: readonly CampaignStatus[],
  change: CampaignUpdate & { readonly status: CampaignStatus | RawBuilder<CampaignStatus> },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('campaigns')
    .set((q) => ({ ...change, version: q('version', '+', 1) }))
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', 'in', from)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/**
 * Returns its name; undefined when it is in none of the states `from`. A repeating campaign is never launched itself: each
 * of its slots launches a copy.
 */
export async function markLaunched(
  db: Db,
  orgId: number,
  id: number,
  from: readonly CampaignStatus[],
  { to, linkDays }: { to: CampaignStatus; linkDays: number },
): Promise<string | undefined> {
  const launched = await db
    .updateTable('campaigns')
    .set((q) => ({
      status: to,
      launched_at: sql`now()`,
      link_expires_at: sql`now() + make_interval(days => ${linkDays}::int)`,
      expand_position: CURRENT_POSITION,
      expand_awaits: sql`pg_snapshot_xmax(pg_current_snapshot())::text::bigint`,
      version: q('version', '+', 1),
    }))
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', 'in', from)
    .where('cron', 'is', null)
    .returning('name')
    .executeTakeFirst();
  return launched?.name;
}

/** Until the transaction ends nobody else changes its state. */
export async function lockCampaign(transaction: Db, orgId: number, id: number): Promise<void> {
  await sql`select from campaigns where org_id = ${orgId} and id = ${id} for no key update`.execute(transaction);
}

/**
 * How many others are scheduled, counted up to `max`. Until the transaction ends nobody else schedules one: two at once do
 * not get past the maximum. The campaign itself is locked first, as it is by a request that says which version it has seen.
 */
export async function lockScheduled(db: Db, orgId: number, id: number, max: number): Promise<number> {
  await lockCampaign(db, orgId, id);
  await sql`select pg_advisory_xact_lock(hashtextextended('scheduled campaigns of ' || ${orgId}::bigint, 0))`.execute(
    db,
  );
  const rows = await db
    .selectFrom('campaigns')
    .where('org_id', '=', orgId)
    .where('status', '=', 'scheduled')
    .where('id', '<>', id)
    .select('id')
    .limit(max)
    .execute();
  return rows.length;
}
