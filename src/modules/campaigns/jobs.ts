import type { Queue } from 'bullmq';
import type { Database } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { backoffMs } from '../../flow/backoff.ts';
import { SMTP_MS } from '../../limits.ts';
import type { MailOutcome } from '../../mail/transport.ts';
import type { Turn } from '../../queue/queues.ts';
import { every } from '../../queue/schedule.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { toMail } from './campaign-mail.ts';
import {
  type ClaimedReachOut,
  claimReachOuts,
  expandLedger,
  finishCampaign,
  nextDueMs,
  type ReachOutResult,
  recordReachOuts,
  type SendingCampaign,
  sendingCampaign,
  sendingCampaigns,
} from './ledger.ts';
import {
  DUE_EVERY_MS,
  MAIL_ATTEMPTS_MAX,
  MAIL_CLAIM_ROWS,
  MAIL_LEASE_MS,
  MAIL_RETRY_MARGIN_MS,
  MAIL_RETRY_MS,
  MAIL_SLICE_ROWS,
  SWEEP_CAMPAIGNS_MAX,
  SWEEP_EVERY_MS,
} from './limits.ts';
import { launchDueCampaigns } from './scheduled-launches.ts';

/** The queue's name, which is also its consumer's. */
export const CAMPAIGN_QUEUE = 'campaigns';

export interface CampaignJob {
  readonly orgId: number;
  readonly campaignId: number;
}

export type MailerParts = Pick<JobsContext, 'config' | 'database' | 'mail' | 'links' | 'log'>;

export function jobs(context: JobsContext): Jobs {
  const { database } = context;
  const queue = context.queue(CAMPAIGN_QUEUE);
  return {
    topics: {
      'campaign.launched': (events) =>
        enqueueCampaigns(
          queue,
          events.map(({ orgId, payload }) => ({ orgId, campaignId: payload.campaignId })),
        ),
    },
    consumers: { [CAMPAIGN_QUEUE]: (job: CampaignJob, signal) => handleCampaign(context, job, signal) },
    loops: [
      every(DUE_EVERY_MS, 'due campaigns', (signal) => launchDueCampaigns(database, signal)),
      every(SWEEP_EVERY_MS, 'campaign sweep', () => sweepCampaigns(database, queue)),
    ],
  };
}

/** One job per campaign, however often it is enqueued: an id that is already in the queue is not added again. */
export async function enqueueCampaigns(queue: Queue, campaigns: CampaignJob[]): Promise<void> {
  await queue.addBulk(
    campaigns.map((data) => ({ name: 'advance', data, opts: { jobId: `campaign-${data.orgId}-${data.campaignId}` } })),
  );
}

/** Redis can lose a job and a process can die with one: this enqueues every campaign that is being sent again. */
export async function sweepCampaigns(database: Database, queue: Queue): Promise<void> {
  const rows = await sendingCampaigns(database.primary(EVERY_ORGANISATION), SWEEP_CAMPAIGNS_MAX);
  if (rows.length > 0)
    await enqueueCampaigns(
      queue,
      rows.map((row) => ({ orgId: row.org_id, campaignId: row.id })),
    );
}

/**
 * One turn of a campaign: one more page of the ledger, then up to MAIL_SLICE_ROWS mails, then it is the next campaign's
 * turn. However large one organisation's campaign is, another organisation's ten mails wait for one slice only.
 */
export async function handleCampaign(parts: MailerParts, job: CampaignJob, signal: AbortSignal): Promise<Turn> {
  const { database } = parts;
  const campaign = await sendingCampaign(database.primary(job.orgId), job.orgId, job.campaignId);
  if (campaign === undefined) return 'finished';
  if (campaign.expandedTo !== null)
    await database.transact(job.orgId, (transaction) => expandLedger(transaction, campaign));

  for (let sent = 0; sent < MAIL_SLICE_ROWS && !signal.aborted; ) {
    const claimed = await database.transact(job.orgId, (transaction) =>
      claimReachOuts(transaction, campaign, MAIL_CLAIM_ROWS),
    );
    if (claimed.length === 0) return rest(parts, campaign);
    const results = await Promise.all(claimed.map((reachOut) => sendOne(parts, campaign, reachOut)));
    await database.transact(job.orgId, (transaction) => recordReachOuts(transaction, campaign, results));
    if (results.some((result) => result.untried)) return { againInMs: SERVER_AWAY_MS };
    sent += claimed.length;
  }
  return { againInMs: 0 };
}

/** Nothing is due: the campaign is done, or is waiting for its retries or for the next page of the ledger. */
async function rest(parts: MailerParts, campaign: SendingCampaign): Promise<Turn> {
  const primary = parts.database.primary(campaign.orgId);
  const now = await sendingCampaign(primary, campaign.orgId, campaign.id);
  if (now === undefined) return 'finished';
  if (now.expandedTo !== null) return { againInMs: 0 };
  const dueMs = await nextDueMs(primary, campaign);
  if (dueMs !== null) return { againInMs: Math.min(dueMs + MAIL_RETRY_MARGIN_MS, MAIL_LEASE_MS) };
  await parts.database.transact(campaign.orgId, (transaction) => finishCampaign(transaction, campaign));
  parts.log.info({ orgId: campaign.orgId, campaignId: campaign.id }, 'campaign sent');
  return 'finished';
}

const SERVER_AWAY_MS = SMTP_MS;

async function sendOne(
  parts: MailerParts,
  campaign: SendingCampaign,
  reachOut: ClaimedReachOut,
): Promise<ReachOutResult> {
  const possiblyTwice = reachOut.interrupted;
  if (reachOut.unsubscribed) return { ...done(reachOut, 'skipped', 'unsubscribed'), possiblyTwice };
  const { organisation } = campaign;
  const { email, name } = reachOut;
  const mail = toMail(parts, campaign, {
    orgId: campaign.orgId,
    id: reachOut.id,
    email,
    name,
    organisation,
  });
  const result = resultOf(reachOut, await parts.mail.send(mail));
  return { ...result, possiblyTwice: possiblyTwice || result.possiblyTwice };
}

function resultOf(reachOut: ClaimedReachOut, outcome: MailOutcome): ReachOutResult {
  switch (outcome.kind) {
    case 'sent':
      return done(reachOut, 'sent', null);
    case 'refused':
      return done(reachOut, 'failed', outcome.reason);
    case 'unreachable':
      return { ...done(reachOut, 'waiting', outcome.reason), dueAt: inMs(0), untried: true };
    case 'later': {
      if (reachOut.attempts >= MAIL_ATTEMPTS_MAX) return done(reachOut, 'failed', outcome.reason);
      const dueAt = inMs(MAIL_RETRY_MS.base + backoffMs(reachOut.attempts, MAIL_RETRY_MS));
      return { ...done(reachOut, 'waiting', outcome.reason), dueAt, possiblyTwice: outcome.maybeSent };
    }
  }
}

function done(reachOut: ClaimedReachOut, status: ReachOutResult['status'], error: string | null): ReachOutResult {
  return { id: reachOut.id, status, error, dueAt: null, untried: false, possiblyTwice: false };
}

function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}
