/**
 * Conversations are opened in groups (see group-commit), just as answers are stored in groups: when a campaign's mails
 * arrive, and when all clients reconnect after a restart, thousands of people come at once.
 */
import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Db } from '../../db/database.ts';
import type { Database } from '../../db/read-write-split.ts';
import { AppError, isDataFault } from '../../errors.ts';
import { createGroupCommit } from '../../flow/group-commit.ts';
import type { Metrics } from '../../process/metrics.ts';
import { addToProgress } from '../campaigns/campaigns.ts';
import {
  CONVERSATION_MESSAGES_MAX,
  OPENING_COMMITS_AT_ONCE,
  OPENINGS_PER_COMMIT_MAX,
  OPENINGS_WAITING_MAX,
} from './limits.ts';
import { readCheckInToken } from './links.ts';
import { addMessages, type Message } from './queries.ts';

export interface OpenConversation {
  readonly orgId: number;
  readonly id: number;
  readonly name: string;
  readonly organisation: string;
  readonly campaign: string;
  readonly questions: number;
  readonly messages: readonly Message[];
  readonly lastSeq: number;
  readonly finished: boolean;
}

/**
 * Opens the conversation that a check-in link leads to, with its messages after `lastSeq`; the first visit creates it,
 * together with the first question. Throws `not_found` for a link that we did not issue, `gone` for an expired one,
 * `overloaded` when too many are waiting.
 */
export type OpenByLink = (token: string, lastSeq: number) => Promise<OpenConversation>;

export function createOpenings(database: Database, secretKey: string, metrics: Metrics): OpenByLink {
  const group = createGroupCommit<number, Visit, OpenConversation>({
    what: 'check-ins',
    limits: { atOnce: OPENING_COMMITS_AT_ONCE, items: OPENINGS_PER_COMMIT_MAX, waiting: OPENINGS_WAITING_MAX },
    commit: (orgId, visits) => database.transact(orgId, (transaction) => openConversations(transaction, orgId, visits)),
    isFaultOfOne: isDataFault,
  });
  metrics.gauge('openings_waiting', 'People waiting for their check-in to open', () => group.waiting);
  return async (token, lastSeq) => {
    const target = readCheckInToken(secretKey, token);
    if (target === undefined)
      throw new AppError('not_found', 'This link is incomplete. Please open it again from the email.');
    return group.add(target.orgId, { reachOutId: target.id, lastSeq });
  };
}

interface Visit {
  readonly reachOutId: number;
  readonly lastSeq: number;
}

async function openConversations(
  transaction: Db,
  orgId: number,
  visits: readonly Visit[],
): Promise<(OpenConversation | AppError)[]> {
  const invitations = await invitationsOf(transaction, orgId, visits);
  const created = await createConversations(transaction, orgId, [...invitations.values()].filter(isFirstVisit));
  const states = await statesOf(transaction, orgId, visits);
  if (created.length > 0) await addToProgress(transaction, orgId, openedBy(created));
  return visits.map(({ reachOutId }, nth) => {
    const invitation = invitations.get(reachOutId);
    if (invitation === undefined) return new AppError('not_found', 'This check-in no longer exists.');
    if (invitation.expired)
      return new AppError('gone', 'This check-in has closed. The next email will bring you a new link.');
    const state = states.get(nth);
    if (state === undefined) return new AppError('not_found', 'This check-in no longer exists.');
    const { name, organisation, campaign, questions } = invitation;
    return { orgId, name, organisation, campaign, questions, ...state };
  });
}

interface Invitation {
  readonly reachOutId: number;
  readonly campaignId: number;
  readonly campaign: string;
  readonly questions: number;
  readonly firstQuestion: string;
  readonly expired: boolean;
  readonly employeeId: number;
  readonly teamId: number;
  readonly name: string;
  readonly organisation: string;
  /** Null before the first visit. */
  readonly conversationId: number | null;
}

function isFirstVisit({ conversationId, expired }: Invitation): boolean {
  return conversationId === null && !expired;
}

async function invitationsOf(db: Db, orgId: number, visits: readonly Visit[]): Promise<Map<number, Invitation>> {
  const { rows } = await sql<Invitation>`
    select r.id as "reachOutId", c.id as "campaignId", c.name as campaign, cardinality(c.questions) as questions,
      c.questions[1] as "firstQuestion", coalesce(c.link_expires_at <= now(), true) as expired,
      e.id as "employeeId", e.team_id as "teamId", e.name, o.name as organisation, v.id as "conversationId"
    from reach_outs r
    join campaigns c on c.org_id = r.org_id and c.id = r.campaign_id
    join employees e on e.org_id = r.org_id and e.id = r.employee_id
    join organisations o on o.id = r.org_id
    left join conversations v on v.org_id = r.org_id and v.reach_out_id = r.id
    where r.org_id = ${orgId} and r.id = any(${idsOf(visits)}::bigint[])`.execute(db);
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
    insert into conversations (org_id, reach_out_id, campaign_id, employee_id, team_id, last_seq, step)
    select ${orgId}::bigint, given.*, 1, 1
    from ${givenRows(rows, { reach_out_id: 'bigint', campaign_id: 'bigint', employee_id: 'bigint', team_id: 'bigint' })}
    on conflict (org_id, reach_out_id) do nothing returning id, reach_out_id`.execute(db);
  const idOf = new Map(created.map(({ id, reach_out_id }) => [reach_out_id, id]));
  const ours = invitations.filter(({ reachOutId }) => idOf.has(reachOutId));
  await addMessages(
    db,
    orgId,
    ours.map((invitation) => ({
      conversation_id: idOf.get(invitation.reachOutId) as number,
      seq: 1,
      sender: 'bot',
      nonce: null,
      body: `Hi ${firstName(invitation.name)}! ${invitation.firstQuestion}`,
      sentiment: null,
    })),
  );
  return ours;
}

type State = Pick<OpenConversation, 'id' | 'lastSeq' | 'finished' | 'messages'>;

/** Keyed by the visit's index. One statement, so that messages and state are from the same snapshot. */
async function statesOf(db: Db, orgId: number, visits: readonly Visit[]): Promise<Map<number, State>> {
  const given = visits.map(({ reachOutId, lastSeq }, nth) => ({ nth, reach_out_id: reachOutId, last_seq: lastSeq }));
  // An array, and a lateral join for each one's messages: the campaigns' ledger explains why.
  const { rows } = await sql<Omit<State, 'messages'> & { nth: number } & { [K in keyof Message]: Message[K] | null }>`
    select given.nth, v.id, v.last_seq as "lastSeq", v.finished_at is not null as finished,
      m.seq, m.sender, m.body, m.created_at as at, m.nonce
    from ${givenRows(given, { nth: 'integer', reach_out_id: 'bigint', last_seq: 'integer' })}
    join conversations v on v.org_id = ${orgId} and v.reach_out_id = any(${idsOf(visits)}::bigint[]) and v.reach_out_id = given.reach_out_id
    left join lateral (
      select * from messages where org_id = ${orgId} and conversation_id = v.id and seq > given.last_seq
      order by seq limit ${CONVERSATION_MESSAGES_MAX}
    ) as m on true
    order by given.nth, m.seq`.execute(db);
  const states = new Map<number, State & { messages: Message[] }>();
  for (const { nth, id, lastSeq, finished, ...message } of rows) {
    const state = states.get(nth) ?? { id, lastSeq, finished, messages: [] };
    states.set(nth, state);
    if (message.seq !== null) state.messages.push(message as Message);
  }
  return states;
}

function openedBy(invitations: readonly Invitation[]) {
  const opened = new Map<number, number>();
  for (const { campaignId } of invitations) opened.set(campaignId, (opened.get(campaignId) ?? 0) + 1);
  return [...opened].map(([campaign, count]) => ({ campaign_id: campaign, opened: count, answers: 0, finished: 0 }));
}

/** `Ada Lovelace` and, as many lists have it, `Lovelace, Ada`. */
function firstName(name: string): string {
  const [last = '', first = ''] = name.split(',');
  return (first.trim() || last.trim()).split(/\s+/)[0] as string;
}

function idsOf(visits: readonly Visit[]): number[] {
  return [...new Set(visits.map(({ reachOutId }) => reachOutId))];
}
