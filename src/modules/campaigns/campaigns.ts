import { Cron } from 'croner';
import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';
import type { DatabaseSession } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { CAMPAIGN_DEFAULTS } from './campaign-mail.ts';
import { CAMPAIGNS_SCHEDULED_MAX, LINK_DAYS } from './limits.ts';
import {
  type Campaign,
  type CampaignStatus,
  type CampaignUpdate,
  campaignById,
  countScheduled,
  insertCampaign,
  markLaunched,
  updateCampaign,
} from './queries.ts';

declare module '../../queue/transactional-outbox.ts' {
  interface Topics {
    'campaign.launched': { readonly campaignId: number };
  }
}

export interface CampaignContent {
  readonly name: string;
  readonly subject: string;
  readonly body: string;
  readonly questions?: readonly string[] | undefined;
}

export async function createCampaign(db: DatabaseSession, orgId: number, content: CampaignContent): Promise<Campaign> {
  return db.write(async (transaction) => {
    const id = await insertCampaign(transaction, orgId, {
      ...content,
      questions: [...(content.questions ?? CAMPAIGN_DEFAULTS.questions)],
    });
    return found(await campaignById(transaction, orgId, id));
  });
}

/** From which states a campaign may be changed in which way, and the state in which it then is. */
const TRANSITIONS = {
  changed: { from: ['draft'], to: 'draft' },
  launched: { from: ['draft', 'scheduled'], to: 'sending' },
  scheduled: { from: ['draft', 'scheduled'], to: 'scheduled' },
  /** Mails that were handed over stay sent. */
  cancelled: { from: ['draft', 'scheduled', 'sending'], to: 'cancelled' },
} as const satisfies Record<string, { from: readonly CampaignStatus[]; to: CampaignStatus }>;

/** What people were sent must stay what the campaign says. Throws `conflict` unless it is a draft. */
export function changeCampaign(
  db: DatabaseSession,
  orgId: number,
  id: number,
  { questions, ...change }: Partial<CampaignContent>,
): Promise<Campaign> {
  const content = questions === undefined ? change : { ...change, questions: [...questions] };
  return transition(db, orgId, id, 'changed', async () => content);
}

/** From here on the mailer has it: the change of state and the event are one transaction. */
export function launchCampaign(db: DatabaseSession, orgId: number, id: number): Promise<Campaign> {
  return db.write(async (transaction) => {
    const launched = await launchIn(transaction, orgId, id);
    return settled(transaction, orgId, id, 'launched', launched);
  });
}

/** Within a transaction of the caller's. False when the campaign was not waiting to be launched. */
export async function launchIn(transaction: Db, orgId: number, id: number): Promise<boolean> {
  const { from, to } = TRANSITIONS.launched;
  const launched = await markLaunched(transaction, orgId, id, { from, to, linkDays: LINK_DAYS });
  if (launched) await writeToOutbox(transaction, { orgId, topic: 'campaign.launched', payload: { campaignId: id } });
  return launched;
}

export function cancelCampaign(db: DatabaseSession, orgId: number, id: number): Promise<Campaign> {
  return transition(db, orgId, id, 'cancelled', async () => ({ finished_at: sql`now()` }));
}

/** Throws `not_found`, or `conflict` when the campaign is in a state from which this is not possible. */
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

/** Doing the same thing twice is what an impatient click does; it gets the same answer as the first time. */
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

export interface Schedule {
  /** ISO 8601; once. */
  readonly at?: string | undefined;
  /** Five fields; every slot launches a copy. */
  readonly cron?: string | undefined;
  readonly timeZone?: string | undefined;
}

export async function scheduleCampaign(
  db: DatabaseSession,
  orgId: number,
  id: number,
  schedule: Schedule,
): Promise<Campaign> {
  const { launchAt, cron, timeZone } = firstLaunch(schedule);
  return transition(db, orgId, id, 'scheduled', async (transaction) => {
    if ((await countScheduled(transaction, orgId, CAMPAIGNS_SCHEDULED_MAX)) >= CAMPAIGNS_SCHEDULED_MAX)
      throw new AppError('conflict', `${CAMPAIGNS_SCHEDULED_MAX} campaigns are scheduled already. Cancel one first.`);
    return { launch_at: launchAt, cron, time_zone: timeZone };
  });
}

function firstLaunch(schedule: Schedule): { launchAt: Date; cron: string | null; timeZone: string } {
  const timeZone = schedule.timeZone ?? 'UTC';
  refuseUnknownTimeZone(timeZone);
  if ((schedule.at === undefined) === (schedule.cron === undefined)) {
    throw new AppError('invalid', 'Send either `at` (a time, once) or `cron` (repeatedly).');
  }
  if (schedule.cron !== undefined) {
    const launchAt = nextSlot(schedule.cron, timeZone, new Date());
    if (launchAt === null) throw new AppError('invalid', 'This cron expression never matches a time.');
    return { launchAt, cron: schedule.cron, timeZone };
  }
  const launchAt = new Date(schedule.at as string);
  if (Number.isNaN(launchAt.getTime()))
    throw new AppError('invalid', '`at` is not a valid time. Write it like 2027-01-31T09:00:00Z.');
  if (launchAt.getTime() < Date.now())
    throw new AppError('invalid', '`at` is in the past. Launch the campaign instead.');
  return { launchAt, cron: null, timeZone };
}

function refuseUnknownTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    throw new AppError('invalid', `${timeZone} is not a time zone. Write it like Europe/Berlin.`);
  }
}

/** The next time after `after`, or null. Throws `invalid` for an expression or a time zone that cannot be read. */
export function nextSlot(cron: string, timeZone: string, after: Date): Date | null {
  try {
    return new Cron(cron, { timezone: timeZone, paused: true, mode: '5-part' }).nextRun(after);
  } catch (error) {
    throw new AppError(
      'invalid',
      `The schedule cannot be read: ${error instanceof Error ? error.message : error}. Five fields, for example "0 9 * * 1" for Mondays at 9.`,
    );
  }
}

function found(campaign: Campaign | undefined): Campaign {
  if (campaign === undefined) throw new AppError('not_found', 'There is no such campaign.');
  return campaign;
}
