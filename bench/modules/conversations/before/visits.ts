import type { Pool, PoolClient } from 'pg';
import type { Question } from '../../../../src/modules/campaigns/campaigns.ts';
import { inTransaction } from './database.ts';

export interface StoredMessage {
  readonly seq: number;
  readonly sender: 'bot' | 'employee';
  readonly body: string;
  readonly at: Date;
  readonly nonce: string | null;
  /** How a question is answered. */
  readonly asks: Question['answer'] | null;
}

export type Message = ReturnType<typeof toMessage>;

/** As clients get it. */
export function toMessage({ seq, sender, body, at, nonce, asks }: StoredMessage) {
  return { seq, sender, body, at, ...(nonce !== null && { nonce }), ...(asks !== null && { answer: asks }) };
}

export interface Visit {
  readonly id: number;
  readonly name: string;
  readonly organisation: string;
  readonly campaign: string;
  readonly questions: number;
  readonly expired: boolean;
  readonly messages: readonly Message[];
  readonly lastSeq: number;
  readonly finished: boolean;
}

interface Invitation extends Pick<Visit, 'name' | 'organisation' | 'campaign' | 'expired'> {
  readonly campaignId: number;
  readonly employeeId: number;
  readonly teamId: number;
  readonly questions: readonly Question[];
  readonly conversationId: number | null;
}

/** The conversation of a reach-out, begun with its first question by the first visit. */
export function visit(pool: Pool, orgId: number, reachOutId: number, lastSeq: number): Promise<Visit | undefined> {
  return inTransaction(pool, async (db) => {
    const { rows } = await db.query<Invitation>(
      `select c.id as "campaignId", c.name as campaign, c.questions, coalesce(c.link_expires_at <= now(), true) as expired,
         e.id as "employeeId", e.team_id as "teamId", e.name, o.name as organisation, v.id as "conversationId"
       from reach_outs r
       join campaigns c on c.org_id = r.org_id and c.id = r.campaign_id
       join employees e on e.org_id = r.org_id and e.id = r.employee_id
       join organisations o on o.id = r.org_id
       left join conversations v on v.org_id = r.org_id and v.reach_out_id = r.id
       where r.org_id = $1 and r.id = $2`,
      [orgId, reachOutId],
    );
    const [invitation] = rows;
    if (invitation === undefined) return undefined;
    if (invitation.conversationId === null && !invitation.expired) await begin(db, orgId, reachOutId, invitation);
    const { name, organisation, campaign, questions, expired } = invitation;
    const state = await stateOf(db, orgId, reachOutId, lastSeq);
    return { name, organisation, campaign, questions: questions.length, expired, ...state };
  });
}

async function begin(db: PoolClient, orgId: number, reachOutId: number, invitation: Invitation): Promise<void> {
  const { campaignId, employeeId, teamId, name, questions } = invitation;
  const { rows } = await db.query<{ id: number }>(
    `insert into conversations (org_id, reach_out_id, campaign_id, employee_id, team_id, last_seq, step, waiting_for)
     values ($1, $2, $3, $4, $5, 1, 1, 1) on conflict (org_id, reach_out_id) do nothing returning id`,
    [orgId, reachOutId, campaignId, employeeId, teamId],
  );
  if (rows[0] === undefined) return; // another window was quicker
  const [first] = questions;
  await db.query(
    `insert into messages (org_id, conversation_id, seq, sender, body, asks) values ($1, $2, 1, 'bot', $3, $4)`,
    [orgId, rows[0].id, `Hi ${firstName(name)}! ${first?.text}`, first?.answer],
  );
  await db.query('update campaign_progress set opened = opened + 1 where org_id = $1 and campaign_id = $2', [
    orgId,
    campaignId,
  ]);
}

async function stateOf(db: PoolClient, orgId: number, reachOutId: number, lastSeq: number) {
  const { rows } = await db.query<{ id: number; lastSeq: number; finished: boolean }>(
    `select id, last_seq as "lastSeq", finished_at is not null as finished
     from conversations where org_id = $1 and reach_out_id = $2`,
    [orgId, reachOutId],
  );
  const state = rows[0] ?? { id: 0, lastSeq: 0, finished: false };
  const { rows: messages } = await db.query<StoredMessage>(
    `select seq, sender, body, created_at as at, nonce, asks from messages
     where org_id = $1 and conversation_id = $2 and seq > $3 order by seq`,
    [orgId, state.id, lastSeq],
  );
  return { ...state, messages: messages.map(toMessage) };
}

/** `Ada Lovelace` and, as many lists have it, `Lovelace, Ada`. */
function firstName(name: string): string {
  const [last = '', first = ''] = name.split(',');
  return (first.trim() || last.trim()).split(/\s+/)[0] as string;
}
