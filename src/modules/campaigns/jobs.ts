import type { Queue } from 'bullmq';
import type { Database } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import type { Turn } from '../../queue/queues.ts';
import { every } from '../../queue/schedule.ts';
import type { OutboxEvent } from '../../queue/transactional-outbox.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { announceEvent } from '../webhooks/webhooks.ts';
import { expandLedger } from './expansion.ts';
import {
  countStopped,
  finishCampaign,
  nextDueMs,
  type SendingCampaign,
  sendingCampaign,
  sendingCampaigns,
  stopHeldCampaign,
} from './ledger.ts';
import {
  DUE_EVERY_MS,
  EXPAND_AWAIT_EVERY_MS,
  HELD_POLL_MS,
  HELD_STOP_MS,
  MAIL_LEASE_MS,
  MAIL_RETRY_MARGIN_MS,
  STOPPED_EVERY_MS,
  SWEEP_CAMPAIGNS_MAX,
  SWEEP_EVERY_MS,
} from './limits.ts';
import { notePace } from './progress-queries.ts';
import { launchDueCampaigns } from './scheduled-launches.ts';
import { type MailerParts, type SliceEnd, sendSlice } from './sending.ts';
import { sendTestMail, type TestMailJob } from './test-mail.ts';

/** The queue's name, which is also its consumer's. */
export const CAMPAIGN_QUEUE = 'campaigns';

export interface CampaignJob {
  readonly orgId: number;
  readonly campaignId: number;
}

export function jobs(context: JobsContext): Jobs {
  const { database } = context;
  const queue = context.queue(CAMPAIGN_QUEUE);
  const begin = (events: readonly OutboxEvent<'campaign.launched' | 'campaign.resumed'>[]) =>
    wakeCampaigns(
      queue,
      events.map(({ orgId, payload }) => ({ orgId, campaignId: payload.campaignId })),
    );
  let stopped: number | undefined;
  context.metrics.measure('campaigns_stopped', 'Campaigns that the mail server holds up', () => stopped);
  const countAgain = async () => {
    stopped = await countStopped(database.primary(EVERY_ORGANISATION));
  };
  return {
    topics: {
      'campaign.launched': begin,
      'campaign.resumed': begin,
      'campaign.test': (events) => enqueueTestMails(queue, events),
    },
    consumers: {
      [CAMPAIGN_QUEUE]: (job: CampaignJob | TestMailJob, signal, keep) =>
        'userId' in job ? sendTestMail(context, job, signal, keep) : handleCampaign(context, job, signal, keep),
    },
    loops: [
      every(DUE_EVERY_MS, 'due campaigns', (signal) => launchDueCampaigns(database, signal)),
      every(STOPPED_EVERY_MS, 'stopped campaigns', countAgain),
      every(SWEEP_EVERY_MS, 'campaign sweep', () => sweepCampaigns(database, queue)),
    ],
  };
}

/** One job per campaign, however often it is enqueued: an id that is already in the queue is not added again. */
export async function enqueueCampaigns(queue: Queue, campaigns: CampaignJob[]): Promise<void> {
  await queue.addBulk(campaigns.map((data) => ({ name: 'advance', data, opts: { jobId: jobIdOf(data) } })));
}

/** One job per event, however often it is delivered. */
async function enqueueTestMails(queue: Queue, events: readonly OutboxEvent<'campaign.test'>[]): Promise<void> {
  await queue.addBulk(
    events.map(({ id, orgId, payload }) => ({
      name: 'test',
      data: { orgId, ...payload, askedAt: Date.now() } satisfies TestMailJob,
      opts: { jobId: `test-mail-${id}` },
    })),
  );
}

/** A job that waits for a later time has its turn now. */
async function wakeCampaigns(queue: Queue, campaigns: CampaignJob[]): Promise<void> {
  await enqueueCampaigns(queue, campaigns);
  for (const campaign of campaigns) {
    const job = await queue.getJob(jobIdOf(campaign));
    // In between it may have begun by itself.
    if (job !== undefined && (await job.isDelayed())) await job.promote().catch(() => undefined);
  }
}

function jobIdOf({ orgId, campaignId }: CampaignJob): string {
  return `campaign-${orgId}-${campaignId}`;
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
export async function handleCampaign(
  parts: MailerParts,
  job: CampaignJob,
  signal: AbortSignal,
  keep: (work: Promise<void>) => void,
): Promise<Turn> {
  const { database, log } = parts;
  const primary = database.primary(job.orgId);
  const campaign = await sendingCampaign(primary, job.orgId, job.campaignId);
  if (campaign === undefined) return 'finished';
  if (campaign.held !== undefined && campaign.held.forMs > HELD_STOP_MS) {
    await stopHeldCampaign(primary, campaign);
    log.error(job, 'the mail server has taken no mail for days: the campaign is paused until somebody resumes it');
    return 'finished';
  }
  if (campaign.held !== undefined && campaign.held.againInMs > 0)
    return { againInMs: Math.min(campaign.held.againInMs + MAIL_RETRY_MARGIN_MS, HELD_POLL_MS) };
  const end = await expandAndSend(parts, campaign, signal, keep);
  await notePace(primary, job.orgId, job.campaignId);
  if (end.why === 'held') return { againInMs: Math.min(end.againInMs + MAIL_RETRY_MARGIN_MS, HELD_POLL_MS) };
  return end.why === 'full' ? { againInMs: 0 } : rest(parts, campaign);
}

/** Only the first page is waited for: mails of the pages before go out while the next one is written. */
async function expandAndSend(
  parts: MailerParts,
  campaign: SendingCampaign,
  signal: AbortSignal,
  keep: (work: Promise<void>) => void,
): Promise<SliceEnd> {
  if (campaign.expandedTo === 0) {
    await expandLedger(parts.database, campaign);
    return sendSlice(parts, campaign, signal, keep);
  }
  const [sent, expanded] = await Promise.allSettled([
    sendSlice(parts, campaign, signal, keep),
    expandLedger(parts.database, campaign),
  ]);
  if (sent.status === 'rejected') throw sent.reason;
  if (expanded.status === 'rejected') throw expanded.reason;
  return sent.value;
}

/** Nothing is due: the campaign is done, or is waiting for its retries or for the next page of the ledger. */
async function rest(parts: MailerParts, campaign: SendingCampaign): Promise<Turn> {
  const primary = parts.database.primary(campaign.orgId);
  const now = await sendingCampaign(primary, campaign.orgId, campaign.id);
  if (now === undefined) return 'finished';
  if (now.expandedTo !== null) return { againInMs: now.expandedTo === campaign.expandedTo ? EXPAND_AWAIT_EVERY_MS : 0 };
  const dueMs = await nextDueMs(primary, campaign);
  if (dueMs !== null) return { againInMs: Math.min(dueMs + MAIL_RETRY_MARGIN_MS, MAIL_LEASE_MS) };
  const done = await parts.database.transact(campaign.orgId, (transaction) => finish(transaction, campaign));
  if (!done) return { againInMs: 0 };
  parts.log.info({ orgId: campaign.orgId, campaignId: campaign.id }, 'campaign sent');
  return 'finished';
}

async function finish(transaction: Db, campaign: SendingCampaign): Promise<boolean> {
  if (!(await finishCampaign(transaction, campaign))) return false;
  const { orgId, id } = campaign;
  await announceEvent(transaction, { orgId, type: 'campaign.finished', data: { campaignId: id } });
  return true;
}
