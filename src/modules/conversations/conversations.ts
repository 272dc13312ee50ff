/**
 * Check-ins are opened in groups (see group-commit), just as answers are stored in groups: when a campaign's mails
 * arrive, and when all clients reconnect after a restart, thousands of people come at once.
 *
 * Opening a link stores nothing: programs open it too, to check it or to show a preview, before anybody has read the
 * mail. A conversation begins, and counts as opened, with a sign of a person: `beginConversation`, or the first answer.
 * Until then everybody who opens the link is shown the greeting that it will begin with.
 */
import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Database } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { AppError, isDataFault } from '../../errors.ts';
import { createGroupCommit } from '../../flow/group-commit.ts';
import type { Metrics } from '../../process/metrics.ts';
import { addToProgress, type Question } from '../campaigns/campaigns.ts';
import {
  BEGINNINGS_WAITING_MAX,
  CONVERSATION_MESSAGES_MAX,
  OPENING_COMMITS_AT_ONCE,
  OPENINGS_PER_COMMIT_MAX,
  OPENINGS_WAITING_MAX,
} from './limits.ts';
import { readCheckInToken } from './links.ts';
import { addMessages, type Message, type StoredMessage, toMessage } from './queries.ts';

export interface OpenConversation {
  readonly orgId: number;
  readonly reachOutId: number;
  readonly name: string;
  readonly organisation: string;
  readonly campaign: string;
  readonly questions: number;
  readonly messages: readonly Message[];
  readonly lastSeq: number;
  /** The seq of the question that waits for its answer; null when the conversation is finished. */
  readonly waitingFor: number | null;
  readonly finished: boolean;
}

/** What a link leads to, and each conversation has one of. */
export interface InvitationKey {
  readonly orgId: number;
  readonly reachOutId: number;
}

/** Throws `not_found` for a link that we did not issue. */
export function readInvitation(secretKey: string, token: string): InvitationKey {
  const target = readCheckInToken(secretKey, token);
  if (target === undefined)
    throw new AppError('not_found', 'This link is incomplete. Please open it again from the email.');
  return { orgId: target.orgId, reachOutId: target.id };
}

/**
 * The conversation of an invitation, with its messages after `lastSeq`: the newest CONVERSATION_MESSAGES_MAX of them, and
 * all when `lastSeq` is beyond the end. Throws `not_found` for one that is gone, `gone` for an expired one, `overloaded`
 * when too many are waiting.
 */
export type OpenConversationOf = (invitation: InvitationKey, lastSeq: number) => Promise<OpenConversation>;

export function createOpenings(database: Database, metrics: Metrics): OpenConversationOf {
  const group = createGroupCommit<number, Visit, OpenConversation>({
    what: 'check-ins',
    limits: { atOnce: OPENING_COMMITS_AT_ONCE, items: OPENINGS_PER_COMMIT_MAX, waiting: OPENINGS_WAITING_MAX },
    commit: (orgId, visits) => openConversations(database.primary(orgId), orgId, visits),
    isFaultOfOne: isDataFault,
  });
  metrics.gauge('openings_waiting', 'People waiting for their check-in to open', () => group.waiting);
  return ({ orgId, reachOutId }, lastSeq) => group.add(orgId, { reachOutId, lastSeq });
}

/** A conversation as it is, with its messages after a seq. */
export interface ConversationState {
  readonly messages: readonly Message[];
  readonly lastSeq: number;
  readonly waitingFor: number | null;
  readonly finished: boolean;
}

/** Without regard to whether its link has expired. Throws `not_found` for one that has not begun. */
export type ReadConversation = (invitation: InvitationKey, afterSeq: number) => Promise<ConversationState>;

export function createReadings(database: Database): ReadConversation {
  const group = createGroupCommit<number, Visit, ConversationState>({
    what: 'conversations',
    limits: { atOnce: OPENING_COMMITS_AT_ONCE, items: OPENINGS_PER_COMMIT_MAX, waiting: OPENINGS_WAITING_MAX },
    commit: async (orgId, visits) => {
      const states = await statesOf(database.primary(orgId), orgId, visits);
      return visits.map((_, nth) => states.get(nth) ?? NO_SUCH_CHECK_IN());
    },
    isFaultOfOne: isDataFault,
  });
  return ({ orgId, reachOutId }, lastSeq) => group.add(orgId, { reachOutId, lastSeq });
}

/** The last seqs of conversations that have begun, by reach-out. One cheap statement for many. */
export async function lastSeqsOf(
  database: Database,
  orgId: number,
  reachOutIds: readonly number[],
): Promise<Map<number, number>> {
  const { rows } = await sql<{ reachOutId: number; lastSeq: number }>`
    select reach_out_id as "reachOutId", last_seq as "lastSeq" from conversations
    where org_id = ${orgId} and reach_out_id = any(${reachOutIds}::bigint[])`.execute(database.primary(orgId));
  return new Map(rows.map(({ reachOutId, lastSeq }) => [reachOutId, lastSeq]));
}

/** Someone is there: begins the conversation, once. Does nothing for a link that has expired or is gone. */
export type BeginConversation = (invitation: InvitationKey) => Promise<void>;

export function createBeginnings(database: Database, metrics: Metrics): BeginConversation {
  const group = createGroupCommit<number, number, void>({
    what: 'check-ins',
    limits: { atOnce: OPENING_COMMITS_AT_ONCE, items: OPENINGS_PER_COMMIT_MAX, waiting: BEGINNINGS_WAITING_MAX },
    commit: (orgId, reachOutIds) =>
      database.transact(orgId, async (transaction) => {
        const begun = await beginConversations(transaction, orgId, reachOutIds);
        if (begun.length > 0) await addToProgress(transaction, orgId, openedBy(begun));
        return reachOutIds.map(() => undefined);
      }),
    isFaultOfOne: isDataFault,
  });
  metrics.gauge('beginnings_waiting', 'Conversations waiting to begin', () => group.waiting);
  return ({ orgId, reachOutId }) => group.add(orgId, reachOutId);
}

export interface Begun {
  readonly campaignId: number;
}

/** Begins those that have not begun, with their first question; returns the ones that this transaction began. */
export async function beginConversations(
  transaction: Db,
  orgId: number,
  reachOutIds: readonly number[],
): Promise<readonly Begun[]> {
  const invitations = await invitationsOf(transaction, orgId, reachOutIds, { isHeld: true });
  return createConversations(transaction, orgId, [...invitations.values()].filter(isFirstVisit));
}

export const NO_SUCH_CHECK_IN = () => new AppError('not_found', 'This check-in no longer exists.');
export const LINK_EXPIRED = () =>
  new AppError('gone', 'This check-in has closed. The next email will bring you a new link.');

interface Visit {
  readonly reachOutId: number;
  readonly lastSeq: number;
}

async function openConversations(
  db: Db,
  orgId: number,
  visits: readonly Visit[],
): Promise<(OpenConversation | AppError)[]> {
  const reachOutIds = visits.map(({ reachOutId }) => reachOutId);
  const invitations = await invitationsOf(db, orgId, reachOutIds);
  const states = await statesOf(db, orgId, visits);
  return visits.map(({ reachOutId, lastSeq }, nth) => {
    const invitation = invitations.get(reachOutId);
    if (invitation === undefined) return NO_SUCH_CHECK_IN();
    if (invitation.expired) return LINK_EXPIRED();
    const { name, organisation, campaign, questions } = invitation;
    const state = states.get(nth) ?? beforeItBegins(invitation, lastSeq);
    return { orgId, reachOutId, name, organisation, campaign, questions, ...state };
  });
}

interface Invitation {
  readonly reachOutId: number;
  readonly campaignId: number;
  readonly campaign: string;
  readonly questions: number;
  readonly firstQuestion: Question;
  readonly expired: boolean;
  readonly employeeId: number;
  readonly teamId: number;
  readonly name: string;
  readonly organisation: string;
  readonly at: string;
  /** Null before it begins. */
  readonly conversationId: number | null;
}

function isFirstVisit({ conversationId, expired }: Invitation): boolean {
  return conversationId === null && !expired;
}

/**
 * As the foreign keys hold it anyway: whoever is erased meanwhile is not there, instead of failing it for all. Locked in
 * this order, which is that of an erasure: the person first, and what belongs to them after.
 */
const HELD = sql`for key share of e, c, r`;

async function invitationsOf(
  db: Db,
  orgId: number,
  reachOutIds: readonly number[],
  { isHeld = false } = {},
): Promise<Map<number, Invitation>> {
  const { rows } = await sql<Invitation>`
    select r.id as "reachOutId", c.id as "campaignId", c.name as campaign, jsonb_array_length(c.questions) as questions,
      c.questions -> 0 as "firstQuestion", coalesce(c.link_expires_at <= now(), true) as expired,
      e.id as "employeeId", e.team_id as "teamId", e.name, o.name as organisation, now() as at, v.id as "conversationId"
    from reach_outs r
    join campaigns c on c.org_id = r.org_id and c.id = r.campaign_id
    join employees e on e.org_id = r.org_id and e.id = r.employee_id
    join organisations o on o.id = r.org_id
    left join conversations v on v.org_id = r.org_id and v.reach_out_id = r.id
    where r.org_id = ${orgId} and r.id = any(${[...new Set(reachOutIds)]}::bigint[]) ${isHeld ? HELD : sql``}`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.reachOutId, row]));
}

/** With the first question. Returns those that it created: a concurrent visit may have created some already. */
async function createConversations(db: Db, orgId: number, invitations: readonly Invitation[]): Promise<Invitation[]> {
  if (invitations.length === 0) return [];
  const rows = invitations.map(({ reachOutId, campaignId, employeeId, teamId }) => ({
    reach_out_id: reachOutId,
    campaign_id: campaignId,
    employee_id: employeeId,
    team_id: teamId,
  }));
  const { rows: created } = await sql<{ id: number; reach_out_id: number }>`
    insert into conversations (org_id, reach_out_id, campaign_id, employee_id, team_id, last_seq, step, waiting_for)
    select ${orgId}::bigint, given.*, ${GREETING_SEQ}::int, 1, ${GREETING_SEQ}::int
    from ${givenRows(rows, { reach_out_id: 'bigint', campaign_id: 'bigint', employee_id: 'bigint', team_id: 'bigint' })}
    on conflict (org_id, reach_out_id) do nothing returning id, reach_out_id`.execute(db);
  const idOf = new Map(created.map(({ id, reach_out_id }) => [reach_out_id, id]));
  const ours = invitations.filter(({ reachOutId }) => idOf.has(reachOutId));
  await addMessages(
    db,
    orgId,
    ours.map((invitation) => ({
      conversation_id: idOf.get(invitation.reachOutId) as number,
      ...greeting(invitation),
      question_seq: null,
      choice: null,
      unscored: false,
    })),
  );
  return ours;
}

const GREETING_SEQ = 1;

function greeting({ name, firstQuestion }: Invitation): Omit<StoredMessage, 'at'> {
  const body = `Hi ${firstName(name)}! ${firstQuestion.text}`;
  return { seq: GREETING_SEQ, sender: 'bot', author: null, nonce: null, body, asks: firstQuestion.answer };
}

type State = ConversationState;

function beforeItBegins(invitation: Invitation, lastSeq: number): State {
  const messages = lastSeq !== GREETING_SEQ ? [toMessage({ ...greeting(invitation), at: invitation.at })] : [];
  return { lastSeq: GREETING_SEQ, waitingFor: GREETING_SEQ, finished: false, messages };
}

/** Keyed by the visit's index. One statement, so that messages and state are from the same snapshot. */
async function statesOf(db: Db, orgId: number, visits: readonly Visit[]): Promise<Map<number, State>> {
  const given = visits.map(({ reachOutId, lastSeq }, nth) => ({ nth, reach_out_id: reachOutId, last_seq: lastSeq }));
  // Lateral joins with a limit: each visit finds its own conversation by the key (batch-write says why).
  type Row = Omit<State, 'messages'> & { nth: number } & { [K in keyof StoredMessage]: StoredMessage[K] | null };
  const { rows } = await sql<Row>`
    select given.nth, v.last_seq as "lastSeq", v.waiting_for as "waitingFor", v.finished_at is not null as finished,
      m.seq, m.sender, m.author, m.body, m.created_at as at, m.nonce, m.asks
    from ${givenRows(given, { nth: 'integer', reach_out_id: 'bigint', last_seq: 'integer' })}
    cross join lateral (
      select * from conversations where org_id = ${orgId} and reach_out_id = given.reach_out_id limit 1
    ) as v
    left join lateral (
      select * from messages where org_id = ${orgId} and conversation_id = v.id
        and seq > case when given.last_seq > v.last_seq then 0 else given.last_seq end
      order by seq desc limit ${CONVERSATION_MESSAGES_MAX}
    ) as m on true
    order by given.nth, m.seq`.execute(db);
  const states = new Map<number, State & { messages: Message[] }>();
  for (const { nth, lastSeq, waitingFor, finished, ...message } of rows) {
    const state = states.get(nth) ?? { lastSeq, waitingFor, finished, messages: [] };
    states.set(nth, state);
    if (message.seq !== null) state.messages.push(toMessage(message as StoredMessage));
  }
  return states;
}

function openedBy(begun: readonly Begun[]) {
  const opened = new Map<number, number>();
  for (const { campaignId } of begun) opened.set(campaignId, (opened.get(campaignId) ?? 0) + 1);
  return [...opened].map(([campaign, count]) => ({ campaign_id: campaign, opened: count, answers: 0, finished: 0 }));
}

/** `Ada Lovelace` and, as many lists have it, `Lovelace, Ada`. */
function firstName(name: string): string {
  const [last = '', first = ''] = name.split(',');
  return (first.trim() || last.trim()).split(/\s+/)[0] as string;
}
