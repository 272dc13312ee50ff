import { type ExpressionBuilder, type Selectable, sql, type UpdateObject } from 'kysely';
import { CURRENT_POSITION } from '../../db/failover-position.ts';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db, Schema } from '../../db/schema.ts';
import { isSuppressed, suppressedAddresses } from '../suppressions/suppressions.ts';
import { FAILURES_COUNTED_MAX, PACE_EVERY_MS, PACE_MS, SUPPRESSED_COUNTED_MAX } from './limits.ts';

export type Question = Selectable<Schema['campaigns']>['questions'][number];
export type CampaignStatus = Selectable<Schema['campaigns']>['status'];
export type ReachOutStatus = Selectable<Schema['reach_outs']>['status'];
export type FailureCause = NonNullable<Selectable<Schema['reach_outs']>['cause']>;
export type PauseSubject = NonNullable<Selectable<Schema['campaigns']>['paused_about']>;

const campaignColumns = [
  'campaigns.id',
  'campaigns.name',
  'campaigns.subject',
  'campaigns.body',
  'campaigns.questions',
  'campaigns.status',
  'campaigns.launch_at',
  'campaigns.cron',
  'campaigns.time_zone',
  'campaigns.parent_id',
  'campaigns.launched_at',
  'campaigns.finished_at',
  'campaigns.created_at',
  'campaigns.version',
  'campaigns.paused_about',
  'campaigns.paused_reason',
  'campaigns.paused_at',
  'campaigns.next_try_at',
  'progress.recipients',
  'progress.sent',
  'progress.failed',
  'progress.skipped',
  'progress.suppressed',
  'progress.complaints',
  'progress.possibly_twice',
  'progress.opened',
  'progress.finished',
  'progress.answers',
] as const;

function selectCampaigns(db: Db, orgId: number) {
  return db
    .selectFrom('campaigns')
    .innerJoin('campaign_progress as progress', (join) =>
      join.onRef('progress.org_id', '=', 'campaigns.org_id').onRef('progress.campaign_id', '=', 'campaigns.id'),
    )
    .where('campaigns.org_id', '=', orgId)
    .select([...campaignColumns, PER_SECOND.as('per_second')]);
}

/** Null unless it is being sent at this moment. */
const PER_SECOND = sql<number | null>`case
  when campaigns.status = 'sending' and campaigns.paused_about is null
    and progress.noted_at > now() - make_interval(secs => ${sql.lit(PACE_MS / 1_000)})
  then progress.per_second end`;

export async function campaignById(db: Db, orgId: number, id: number): Promise<Campaign | undefined> {
  const row = await selectCampaigns(db, orgId).where('campaigns.id', '=', id).executeTakeFirst();
  return row && toCampaign(row);
}

/** Newest first. */
export async function campaignsPage(
  db: Db,
  orgId: number,
  [beforeId]: IdPlace = [Number.MAX_SAFE_INTEGER],
  rows: number,
): Promise<Campaign[]> {
  const found = await selectCampaigns(db, orgId)
    .where('campaigns.id', '<', beforeId)
    .orderBy('campaigns.id', 'desc')
    .limit(rows)
    .execute();
  return found.map(toCampaign);
}

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

/** The states that a change is allowed from, and the version that its author has seen; undefined: any. */
export interface Expected {
  readonly from: readonly CampaignStatus[];
  readonly version: number | undefined;
}

/** False when the campaign is not as `expected`. Fields that are left out stay as they are. */
export async function updateCampaign(
  db: Db,
  orgId: number,
  id: number,
  expected: Expected,
  change: CampaignUpdate & { readonly status: CampaignStatus },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('campaigns')
    .set((q) => ({ ...change, version: q('version', '+', 1) }))
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where((q) => isExpected(q, expected))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

function isExpected(q: ExpressionBuilder<Schema, 'campaigns'>, { from, version }: Expected) {
  return q.and([q('status', 'in', from), ...(version === undefined ? [] : [q('version', '=', version)])]);
}

/**
 * Returns its name; undefined when it is not as `expected`. A repeating campaign is never launched itself: each
 * of its slots launches a copy.
 */
export async function markLaunched(
  db: Db,
  orgId: number,
  id: number,
  expected: Expected,
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
    .where((q) => isExpected(q, expected))
    .where('cron', 'is', null)
    .returning('name')
    .executeTakeFirst();
  return launched?.name;
}

/** Counts at most `max`. */
export async function countScheduled(db: Db, orgId: number, max: number): Promise<number> {
  const rows = await db
    .selectFrom('campaigns')
    .where('org_id', '=', orgId)
    .where('status', '=', 'scheduled')
    .select('id')
    .limit(max)
    .execute();
  return rows.length;
}

/**
 * The number of people who would get a mail if the campaign were launched now: neither unsubscribed nor suppressed. The
 * addresses are the smaller list, so they are what is gone through; of more than SUPPRESSED_COUNTED_MAX, the rest counts as
 * recipients.
 */
export async function recipientsOf(db: Db, orgId: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select coalesce((select sum(reachable) from teams where org_id = ${orgId}), 0) - (
      select count(*) from ${suppressedAddresses(orgId, SUPPRESSED_COUNTED_MAX)} as suppressed
      join employees e on e.org_id = ${orgId} and e.email = suppressed.address and e.unsubscribed_at is null
    ) as count`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

export async function reachOutsPage(
  db: Db,
  orgId: number,
  campaignId: number,
  status: ReachOutStatus | undefined,
  [afterId]: IdPlace = [0],
  rows: number,
) {
  let query = db
    .selectFrom('reach_outs')
    .innerJoin('employees', (join) =>
      join.onRef('employees.org_id', '=', 'reach_outs.org_id').onRef('employees.id', '=', 'reach_outs.employee_id'),
    )
    .where('reach_outs.org_id', '=', orgId)
    .where('reach_outs.campaign_id', '=', campaignId)
    .where('reach_outs.id', '>', afterId)
    .select([
      isSuppressed(orgId, sql`employees.email`).as('suppressed'),
      'reach_outs.id',
      'reach_outs.employee_id',
      'employees.name',
      'employees.email',
      'reach_outs.status',
      'reach_outs.attempts',
      'reach_outs.sent_at',
      'reach_outs.error',
      'reach_outs.cause',
      'reach_outs.complained_at',
    ])
    .orderBy('reach_outs.id')
    .limit(rows);
  if (status !== undefined) query = query.where('reach_outs.status', '=', status);
  return (await query.execute()).map((row) => ({
    id: row.id,
    employee: { id: row.employee_id, name: row.name, email: row.email },
    status: row.status,
    attempts: row.attempts,
    sentAt: row.sent_at,
    error: row.error,
    cause: row.cause,
    suppressed: row.suppressed,
    complainedAt: row.complained_at,
  }));
}

/** How many recipients failed, by cause, and how many of them cannot be sent to again; of all at most FAILURES_COUNTED_MAX are counted. */
export async function failuresByCause(db: Db, orgId: number, campaignId: number) {
  const { rows } = await sql<{ cause: FailureCause; count: number; suppressed: number; example: string | null }>`
    select cause, count(*), count(*) filter (where suppressed) as suppressed, max(error) as example from (
      select r.cause, r.error, ${isSuppressed(orgId, sql`e.email`)} as suppressed
      from reach_outs r join employees e on e.org_id = r.org_id and e.id = r.employee_id
      where r.org_id = ${orgId} and r.campaign_id = ${campaignId} and r.status = 'failed' limit ${FAILURES_COUNTED_MAX}
    ) as failed
    group by cause order by cause`.execute(db);
  return rows;
}

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

export interface Failed {
  readonly cause?: FailureCause | undefined;
  readonly reachOutId?: number | undefined;
}

/** Puts up to `rows` failed recipients whose address is not suppressed back into the ledger; returns how many. */
export async function retryFailed(
  db: Db,
  orgId: number,
  campaignId: number,
  failed: Failed,
  rows: number,
): Promise<number> {
  let which = db
    .selectFrom('reach_outs')
    .where('org_id', '=', orgId)
    .where('campaign_id', '=', campaignId)
    .where('status', '=', 'failed')
    .where((q) =>
      q.not(
        q.exists(
          q
            .selectFrom('employees')
            .where('employees.org_id', '=', orgId)
            .whereRef('employees.id', '=', 'reach_outs.employee_id')
            .where(isSuppressed(orgId, sql`employees.email`))
            .select('employees.id'),
        ),
      ),
    )
    .select('id')
    .orderBy('id')
    .limit(rows)
    .forUpdate();
  if (failed.cause !== undefined) which = which.where('cause', '=', failed.cause);
  if (failed.reachOutId !== undefined) which = which.where('id', '=', failed.reachOutId);
  const picked = await which.execute();
  const { numUpdatedRows } = await db
    .updateTable('reach_outs')
    .set({
      status: 'waiting',
      due_at: sql`now()`,
      attempts: 0,
      held: 0,
      error: null,
      bounced_at: null, // it may be returned once more
      // Whoever may have it already is told so by a copy with the same Message-ID, and it is counted.
      cause: sql`case when cause = 'unconfirmed' then cause end`,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', sql<number>`any(${picked.map(({ id }) => id)}::bigint[])`)
    .executeTakeFirst();
  return Number(numUpdatedRows);
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

/** Whether the personal links in its mails still work. */
export async function areLinksValid(db: Db, orgId: number, id: number): Promise<boolean> {
  const row = await db
    .selectFrom('campaigns')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select(sql<boolean>`coalesce(link_expires_at > now(), false)`.as('valid'))
    .executeTakeFirst();
  return row?.valid === true;
}

/** The addresses and names of those that a mail is about to go to. */
export async function recipientsByIds(db: Db, orgId: number, employeeIds: readonly number[]) {
  return db
    .selectFrom('employees')
    .where('org_id', '=', orgId)
    .where('id', '=', sql<number>`any(${employeeIds}::bigint[])`)
    .select(['id', 'email', 'name'])
    .limit(employeeIds.length)
    .execute();
}

export type Campaign = ReturnType<typeof toCampaign>;

type CampaignRow = {
  id: number;
  name: string;
  subject: string;
  body: string;
  questions: Question[];
  status: CampaignStatus;
  launch_at: string | null;
  cron: string | null;
  time_zone: string;
  parent_id: number | null;
  launched_at: string | null;
  finished_at: string | null;
  created_at: string;
  version: number;
  paused_about: PauseSubject | null;
  paused_reason: string | null;
  paused_at: string | null;
  next_try_at: string | null;
  recipients: number;
  sent: number;
  failed: number;
  skipped: number;
  suppressed: number;
  complaints: number;
  possibly_twice: number;
  opened: number;
  finished: number;
  answers: number;
  per_second: number | null;
};

function toCampaign(row: CampaignRow) {
  return {
    id: row.id,
    name: row.name,
    subject: row.subject,
    body: row.body,
    questions: row.questions,
    status: row.status,
    launchAt: row.launch_at,
    cron: row.cron,
    timeZone: row.time_zone,
    parentId: row.parent_id,
    launchedAt: row.launched_at,
    finishedAt: row.finished_at,
    createdAt: row.created_at,
    version: row.version,
    pausedBecause:
      row.paused_about === null
        ? null
        : {
            about: row.paused_about,
            reason: row.paused_reason,
            since: row.paused_at,
            nextTryAt: row.next_try_at,
          },
    progress: {
      recipients: row.recipients,
      sent: row.sent,
      failed: row.failed,
      skipped: row.skipped,
      suppressed: row.suppressed,
      complaints: row.complaints,
      possiblyTwice: row.possibly_twice,
      opened: row.opened,
      finished: row.finished,
      answers: row.answers,
      ...paceOf(row),
    },
  };
}

function paceOf({ recipients, sent, failed, skipped, per_second }: CampaignRow) {
  if (per_second === null || per_second <= 0) return { perSecond: null, secondsLeft: null };
  const left = Math.max(0, recipients - sent - failed - skipped);
  return { perSecond: Math.round(per_second * 10) / 10, secondsLeft: Math.ceil(left / per_second) };
}
