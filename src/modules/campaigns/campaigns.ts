import { sql } from 'kysely';
import { givenByKey } from '../../db/batch-write.ts';
import type { DatabaseSession } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { AppError } from '../../errors.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { type Actor, type AuditEntry, writeAudit } from '../audit/audit.ts';
import { announceEvent } from '../webhooks/webhooks.ts';
import { CAMPAIGN_DEFAULTS } from './campaign-mail.ts';
import { launchTimesOf, type Schedule } from './launch-times.ts';
import { CAMPAIGNS_SCHEDULED_MAX, LINK_DAYS, RETRY_ROWS_MAX, RETRY_STEP_ROWS } from './limits.ts';
import { refuseUnknownPlaceholders } from './placeholders.ts';
import { takeFromFailed } from './progress-queries.ts';
import { areLinksValid, type Campaign, type CampaignStatus, campaignById, type Question } from './queries.ts';
import { type Failed, retryFailed } from './recipient-queries.ts';
import {
  type CampaignUpdate,
  insertCampaign,
  lockCampaign,
  lockScheduled,
  markLaunched,
  NOT_PAUSED,
  updateCampaign,
} from './state-queries.ts';

declare module '../../queue/transactional-outbox.ts' {
  interface Topics {
    'campaign.launched': { readonly campaignId: number };
    'campaign.resumed': { readonly campaignId: number };
  }
}

export interface CampaignContent {
  readonly name: string;
  readonly subject: string;
  readonly body: string;
  /** A text alone is a question that is answered in words. */
  readonly questions?: readonly (string | Question)[] | undefined;
}

export type { Question };

/** Throws `invalid` for unknown placeholders. */
export async function createCampaign(db: DatabaseSession, actor: Actor, content: CampaignContent): Promise<Campaign> {
  const { orgId } = actor;
  refuseUnknownPlaceholders(content);
  return db.write(async (transaction) => {
    const id = await insertCampaign(transaction, orgId, {
      ...content,
      questions: (content.questions ?? CAMPAIGN_DEFAULTS.questions).map(toQuestion),
    });
    await writeAudit(transaction, actor, { action: 'campaign.created', subject: content.name });
    return found(await campaignById(transaction, orgId, id));
  });
}

export function toQuestion(question: string | Question): Question {
  return typeof question === 'string' ? { text: question, answer: 'text' } : question;
}

/** Which states each change is allowed from, and the state it leads to. */
const TRANSITIONS = {
  changed: { from: ['draft'], to: 'draft' },
  launched: { from: ['draft', 'scheduled'], to: 'sending' },
  scheduled: { from: ['draft', 'scheduled'], to: 'scheduled' },
  paused: { from: ['sending'], to: 'paused' },
  resumed: { from: ['paused'], to: 'sending' },
  /** Mails that were already handed over stay sent. */
  cancelled: { from: ['draft', 'scheduled', 'sending', 'paused'], to: 'cancelled' },
} as const satisfies Record<string, { from: readonly CampaignStatus[]; to: CampaignStatus }>;

/** A campaign must keep showing what people were sent. Throws `conflict` unless it is a draft, and `invalid` for unknown placeholders. */
export async function changeCampaign(
  db: DatabaseSession,
  actor: Actor,
  id: number,
  { questions, ...change }: Partial<CampaignContent>,
): Promise<Campaign> {
  refuseUnknownPlaceholders(change);
  const content =
    questions === undefined ? change : { ...change, questions: JSON.stringify(questions.map(toQuestion)) };
  const fields = Object.keys(content).join(', ');
  return transition(db, actor, id, 'changed', async () => ({ change: content, details: { fields } }));
}

/** Hands the campaign over to the mailer: the change of state and the event are one transaction. */
export function launchCampaign(db: DatabaseSession, actor: Actor, id: number): Promise<Campaign> {
  return db.write(async (transaction) => {
    const launched = await launchIn(transaction, actor, id);
    return settled(transaction, actor.orgId, id, 'launched', launched);
  });
}

/** Runs in the caller's transaction. False when the campaign was not waiting to be launched. */
export async function launchIn(transaction: Db, actor: Actor, id: number): Promise<boolean> {
  const { orgId } = actor;
  const { from, to } = TRANSITIONS.launched;
  const name = await markLaunched(transaction, orgId, id, from, { to, linkDays: LINK_DAYS });
  if (name === undefined) return false;
  await writeToOutbox(transaction, { orgId, topic: 'campaign.launched', payload: { campaignId: id } });
  await writeAudit(transaction, actor, { action: 'campaign.launched', subject: name });
  await announceEvent(transaction, { orgId, type: 'campaign.launched', data: { campaignId: id } });
  return true;
}

export function cancelCampaign(db: DatabaseSession, actor: Actor, id: number): Promise<Campaign> {
  return transition(db, actor, id, 'cancelled', async () => ({
    change: { finished_at: sql`now()`, ...NOT_PAUSED },
  }));
}

/** Nothing more is handed over within MAIL_TEND_EVERY_MS. */
export function pauseCampaign(db: DatabaseSession, actor: Actor, id: number): Promise<Campaign> {
  return transition(db, actor, id, 'paused', async () => ({
    change: { ...NOT_PAUSED, paused_about: 'person', paused_at: sql`now()` },
  }));
}

export function resumeCampaign(db: DatabaseSession, actor: Actor, id: number): Promise<Campaign> {
  return transition(db, actor, id, 'resumed', async (transaction) => {
    await writeToOutbox(transaction, { orgId: actor.orgId, topic: 'campaign.resumed', payload: { campaignId: id } });
    return { change: NOT_PAUSED };
  });
}

/**
 * Sends to failed recipients again: to one, to those of one cause, or to all. Throws `conflict` when there are none, or
 * only some whose address is suppressed: these stay failed.
 */
export function retryCampaign(db: DatabaseSession, actor: Actor, id: number, failed: Failed): Promise<Campaign> {
  const { orgId } = actor;
  return db.write(async (transaction) => {
    await lockCampaign(transaction, orgId, id); // before its recipients, as a request with an If-Match does
    const { status, name } = found(await campaignById(transaction, orgId, id));
    if (!RETRIED_FROM.includes(status))
      throw new AppError('conflict', `The campaign is ${status}: there is nothing to send again.`);
    if (!(await areLinksValid(transaction, orgId, id)))
      throw new AppError('conflict', 'The personal links of this campaign have expired. Launch a new one instead.');
    let returned = 0;
    for (let step = RETRY_STEP_ROWS; step === RETRY_STEP_ROWS && returned < RETRY_ROWS_MAX; returned += step)
      step = await retryFailed(transaction, orgId, id, failed, RETRY_STEP_ROWS);
    if (returned === 0)
      throw new AppError(
        'conflict',
        'No recipient of this kind has failed whose address may be sent mail. One that is suppressed can be lifted first, under Suppressions.',
      );
    await takeFromFailed(transaction, orgId, id, returned);
    const change = { status: SENDING_AGAIN, finished_at: null };
    await updateCampaign(transaction, orgId, id, RETRIED_FROM, change);
    await writeToOutbox(transaction, { orgId, topic: 'campaign.resumed', payload: { campaignId: id } });
    const details = { recipients: returned, ...(failed.cause !== undefined && { cause: failed.cause }) };
    await writeAudit(transaction, actor, { action: 'campaign.retried', subject: name, details });
    return found(await campaignById(transaction, orgId, id));
  });
}

const RETRIED_FROM: readonly CampaignStatus[] = ['sending', 'paused', 'done'];
const SENDING_AGAIN = sql<CampaignStatus>`case status when 'done' then 'sending' else status end`;

interface Transition {
  readonly change: CampaignUpdate;
  /** For the audit log. */
  readonly details?: AuditEntry['details'];
}

/** Throws `not_found`, or `conflict` when the campaign's state does not allow the change. */
function transition(
  db: DatabaseSession,
  actor: Actor,
  id: number,
  verb: Exclude<keyof typeof TRANSITIONS, 'launched'>,
  transitionIn: (transaction: Db) => Promise<Transition>,
): Promise<Campaign> {
  const { orgId } = actor;
  return db.write(async (transaction) => {
    const { from, to } = TRANSITIONS[verb];
    const { change, details = {} } = await transitionIn(transaction);
    const moved = await updateCampaign(transaction, orgId, id, from, { ...change, status: to });
    const campaign = await settled(transaction, orgId, id, verb, moved);
    if (moved) await writeAudit(transaction, actor, { action: `campaign.${verb}`, subject: campaign.name, details });
    return campaign;
  });
}

/** An impatient second click gets the same answer as the first. */
async function settled(
  transaction: Db,
  orgId: number,
  id: number,
  verb: keyof typeof TRANSITIONS,
  moved: boolean,
): Promise<Campaign> {
  const campaign = found(await campaignById(transaction, orgId, id));
  const { to } = TRANSITIONS[verb];
  const repeats = verb !== 'changed' && verb !== 'scheduled' && campaign.status === to;
  if (moved || repeats) return campaign;
  throw new AppError('conflict', `The campaign is ${campaign.status} and cannot be ${verb}.`);
}

export async function scheduleCampaign(
  db: DatabaseSession,
  actor: Actor,
  id: number,
  schedule: Schedule,
): Promise<Campaign> {
  const { next, cron, timeZone } = launchTimesOf(schedule);
  return transition(db, actor, id, 'scheduled', async (transaction) => {
    if ((await lockScheduled(transaction, actor.orgId, id, CAMPAIGNS_SCHEDULED_MAX)) >= CAMPAIGNS_SCHEDULED_MAX)
      throw new AppError(
        'conflict',
        `You already have ${CAMPAIGNS_SCHEDULED_MAX} scheduled campaigns, which is the maximum. Cancel one first.`,
      );
    const first = next[0]?.toISOString() ?? null;
    return { change: { launch_at: next[0], cron, time_zone: timeZone }, details: { first, cron, timeZone } };
  });
}

function found(campaign: Campaign | undefined): Campaign {
  if (campaign === undefined) throw new AppError('not_found', 'This campaign does not exist.');
  return campaign;
}

/**
 * Updates the counters that all of a campaign's people share. Call it last in a transaction: the next one waits for
 * this row.
 */
export async function addToProgress(
  db: Db,
  orgId: number,
  more: readonly { campaign_id: number; opened: number; answers: number; finished: number }[],
): Promise<void> {
  const changes = givenByKey(more, {
    campaign_id: 'bigint',
    opened: 'integer',
    answers: 'integer',
    finished: 'integer',
  });
  await sql`
    update campaign_progress as p
    set (opened, answers, finished) = (
      select p.opened + given.opened, p.answers + given.answers, p.finished + given.finished
      from ${changes.of(sql`p.campaign_id`)}
    )
    where p.org_id = ${orgId} and p.campaign_id = any(${changes.keys})`.execute(db);
}
