import { type Selectable, sql } from 'kysely';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db, Schema } from '../../db/schema.ts';
import { PACE_MS } from './limits.ts';

export type Question = Selectable<Schema['campaigns']>['questions'][number];
export type CampaignStatus = Selectable<Schema['campaigns']>['status'];
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
