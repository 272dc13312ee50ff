import { sql } from 'kysely';
import { givenByKey } from '../../db/batch-write.ts';
import type { DatabaseSession } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { AppError } from '../../errors.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { announceEvent } from '../webhooks/webhooks.ts';
import { CAMPAIGN_DEFAULTS } from './campaign-mail.ts';
import { launchTimesOf, type Schedule } from './launch-times.ts';
import { CAMPAIGNS_SCHEDULED_MAX, LINK_DAYS, RETRY_ROWS_MAX, RETRY_STEP_ROWS } from './limits.ts';
import {
  areLinksValid,
  type Campaign,
  type CampaignStatus,
  type CampaignUpdate,
  campaignById,
  countScheduled,
  type Failed,
  insertCampaign,
  markLaunched,
  NOT_PAUSED,
  type Question,
  retryFailed,
  takeFromFailed,
  updateCampaign,
} from './queries.ts';

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

export async function createCampaign(db: DatabaseSession, orgId: number, content: CampaignContent): Promise<Campaign> {
  return db.write(async (transaction) => {
    const id = await insertCampaign(transaction, orgId, {
      ...content,
      questions: (content.questions ?? CAMPAIGN_DEFAULTS.questions).map(toQuestion),
    });
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

/** A campaign must keep showing what people were sent. Throws `conflict` unless it is a draft. */
export function changeCampaign(
  db: DatabaseSession,
  orgId: number,
  id: number,
  { questions, ...change }: Partial<CampaignContent>,
): Promise<Campaign> {
  const content =
    questions === undefined ? change : { ...change, questions: JSON.stringify(questions.map(toQuestion)) };
  return transition(db, orgId, id, 'changed', async () => content);
}

/** Hands the campaign over to the mailer: the change of state and the event are one transaction. */
export function launchCampaign(db: DatabaseSession, orgId: number, id: number): Promise<Campaign> {
  return db.write(async (transaction) => {
    const launched = await launchIn(transaction, orgId, id);
    return settled(transaction, orgId, id, 'launched', launched);
  });
}

/** Runs in the caller's transaction. False when the campaign was not waiting to be launched. */
export async function launchIn(transaction: Db, orgId: number, id: number): Promise<boolean> {
  const { from, to } = TRANSITIONS.launched;
  const launched = await markLaunched(transaction, orgId, id, { from, to, linkDays: LINK_DAYS });
  if (!launched) return false;
  await writeToOutbox(transaction, { orgId, topic: 'campaign.launched', payload: { campaignId: id } });
  await announceEvent(transaction, { orgId, type: 'campaign.launched', data: { campaignId: id } });
  return true;
}

export function cancelCampaign(db: DatabaseSession, orgId: number, id: number): Promise<Campaign> {
  return transition(db, orgId, id, 'cancelled', async () => ({ finished_at: sql`now()`, ...NOT_PAUSED }));
}

/** Nothing more is handed over within MAIL_TEND_EVERY_MS. */
export function pauseCampaign(db: DatabaseSession, orgId: number, id: number): Promise<Campaign> {
  return transition(db, orgId, id, 'paused', async () => ({
    ...NOT_PAUSED,
    paused_about: 'person',
    paused_at: sql`now()`,
  }));
}

export function resumeCampaign(db: DatabaseSession, orgId: number, id: number): Promise<Campaign> {
  return transition(db, orgId, id, 'resumed', async (transaction) => {
    await writeToOutbox(transaction, { orgId, topic: 'campaign.resumed', payload: { campaignId: id } });
    return NOT_PAUSED;
  });
}

/**
 * Sends to failed recipients again: to one, to those of one cause, or to all. Throws `conflict` when there are none, or
 * only some whose address is suppressed: these stay failed.
 */
export function retryCampaign(db: DatabaseSession, orgId: number, id: number, failed: Failed): Promise<Campaign> {
  return db.write(async (transaction) => {
    const { status } = found(await campaignById(transaction, orgId, id));
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
    await updateCampaign(transaction, orgId, id, ['done'], { status: 'sending', finished_at: null });
    await writeToOutbox(transaction, { orgId, topic: 'campaign.resumed', payload: { campaignId: id } });
    return found(await campaignById(transaction, orgId, id));
  });
}

const RETRIED_FROM: readonly CampaignStatus[] = ['sending', 'paused', 'done'];

/** Throws `not_found`, or `conflict` when the campaign's state does not allow the change. */
function transition(
  db: DatabaseSession,
  orgId: number,
  id: number,
  verb: keyof typeof TRANSITIONS,
  changeIn: (transaction: Db) => Promise<CampaignUpdate>,
): Promise<Campaign> {
  return db.write(async (transaction) => {
    const { from, to } = TRANSITIONS[verb];
    const change = await changeIn(transaction);
    const moved = await updateCampaign(transaction, orgId, id, from, { ...change, status: to });
    return settled(transaction, orgId, id, verb, moved);
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
  const repeats = verb !== 'changed' && verb !== 'scheduled' && campaign.status === TRANSITIONS[verb].to;
  if (moved || repeats) return campaign;
  throw new AppError('conflict', `The campaign is ${campaign.status} and cannot be ${verb}.`);
}

export async function scheduleCampaign(
  db: DatabaseSession,
  orgId: number,
  id: number,
  schedule: Schedule,
): Promise<Campaign> {
  const { next, cron, timeZone } = launchTimesOf(schedule);
  return transition(db, orgId, id, 'scheduled', async (transaction) => {
    if ((await countScheduled(transaction, orgId, CAMPAIGNS_SCHEDULED_MAX)) >= CAMPAIGNS_SCHEDULED_MAX)
      throw new AppError(
        'conflict',
        `You already have ${CAMPAIGNS_SCHEDULED_MAX} scheduled campaigns, which is the maximum. Cancel one first.`,
      );
    return { launch_at: next[0], cron, time_zone: timeZone };
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
