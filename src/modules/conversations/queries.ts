import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db } from '../../db/schema.ts';
import type { Question } from '../campaigns/campaigns.ts';
import { CONVERSATION_MESSAGES_MAX } from './limits.ts';

/** `person`: somebody of the people team who has stepped in. */
export type Sender = 'bot' | 'employee' | 'person';

/** As clients get it. What a message does not have is left out. */
export interface Message {
  readonly seq: number;
  readonly sender: Sender;
  /** The name of a person of the people team. */
  readonly author?: string;
  readonly body: string;
  readonly at: string;
  /** Set by the client on its answer, so that it recognises it. */
  readonly nonce?: string;
  /** Of a question: what answers it. */
  readonly answer?: Question['answer'];
}

export interface StoredMessage {
  readonly seq: number;
  readonly sender: Sender;
  readonly author: string | null;
  readonly body: string;
  readonly at: string;
  readonly nonce: string | null;
  readonly asks: Question['answer'] | null;
}

export function toMessage({ seq, sender, author, body, at, nonce, asks }: StoredMessage): Message {
  return {
    seq,
    sender,
    ...(author !== null && { author }),
    body,
    at,
    ...(nonce !== null && { nonce }),
    ...(asks !== null && { answer: asks }),
  };
}

export type NewMessage = Omit<StoredMessage, 'at'> & {
  readonly conversation_id: number;
  readonly question_seq: number | null;
  readonly choice: number | null;
  readonly unscored: boolean;
};

export const MESSAGES = { table: 'messages', place: 'conversation_id' } as const;

export async function addMessages(db: Db, orgId: number, messages: readonly NewMessage[]): Promise<void> {
  await sql`
    insert into messages (org_id, conversation_id, seq, sender, author, nonce, body, asks, question_seq, choice, unscored)
    select ${orgId}::bigint, given.*
    from ${givenRows(messages, { conversation_id: 'bigint', seq: 'integer', sender: 'text', author: 'text', nonce: 'text', body: 'text', asks: 'text', question_seq: 'integer', choice: 'integer', unscored: 'boolean' })}`.execute(
    db,
  );
}

function selectConversations(db: Db, orgId: number) {
  return db
    .selectFrom('conversations as v')
    .innerJoin('campaigns as c', (join) => join.onRef('c.org_id', '=', 'v.org_id').onRef('c.id', '=', 'v.campaign_id'))
    .innerJoin('employees as e', (join) => join.onRef('e.org_id', '=', 'v.org_id').onRef('e.id', '=', 'v.employee_id'))
    .innerJoin('teams as t', (join) => join.onRef('t.org_id', '=', 'v.org_id').onRef('t.id', '=', 'v.team_id'))
    .where('v.org_id', '=', orgId)
    .select([
      'v.id',
      'v.campaign_id',
      'c.name as campaign',
      'v.employee_id',
      'e.name as employee',
      'v.team_id',
      't.name as team',
      'v.answers',
      'v.scored',
      'v.score_sum',
      'v.started_at',
      'v.last_message_at',
      'v.finished_at',
    ]);
}

/** Newest first. */
export async function conversationsPage(
  db: Db,
  orgId: number,
  campaignId: number | undefined,
  [beforeId]: IdPlace = [Number.MAX_SAFE_INTEGER],
  rows: number,
) {
  let query = selectConversations(db, orgId).where('v.id', '<', beforeId).orderBy('v.id', 'desc').limit(rows);
  if (campaignId !== undefined) query = query.where('v.campaign_id', '=', campaignId);
  return (await query.execute()).map(toConversation);
}

export async function conversationById(db: Db, orgId: number, id: number) {
  const row = await selectConversations(db, orgId).where('v.id', '=', id).executeTakeFirst();
  if (row === undefined) return undefined;
  const messages = await db
    .selectFrom('messages')
    .where('org_id', '=', orgId)
    .where('conversation_id', '=', id)
    .select(['seq', 'sender', 'author', 'body', 'asks', 'choice', 'sentiment', 'created_at as at'])
    .select(sql<boolean>`sender = 'employee' and not unscored`.as('scored'))
    .orderBy('seq')
    .limit(CONVERSATION_MESSAGES_MAX)
    .execute();
  return { ...toConversation(row), messages };
}

export async function reachOutOf(db: Db, orgId: number, id: number): Promise<number | undefined> {
  const query = db.selectFrom('conversations').where('org_id', '=', orgId).where('id', '=', id).select('reach_out_id');
  return (await query.executeTakeFirst())?.reach_out_id;
}

type ConversationRow = Awaited<ReturnType<ReturnType<typeof selectConversations>['executeTakeFirstOrThrow']>>;

function toConversation(row: ConversationRow) {
  return {
    id: row.id,
    campaign: { id: row.campaign_id, name: row.campaign },
    employee: { id: row.employee_id, name: row.employee },
    team: { id: row.team_id, name: row.team },
    answers: row.answers,
    scored: row.scored,
    mood: row.scored === 0 ? null : Math.round((row.score_sum / row.scored) * 1000) / 1000,
    startedAt: row.started_at,
    lastMessageAt: row.last_message_at,
    finishedAt: row.finished_at,
  };
}

/** Deletes up to `limit` conversations (and their messages) that began more than `days` ago; returns how many. */
export async function deleteOldConversations(db: Db, days: number, limit: number): Promise<number> {
  // One organisation at a time, so that the index (org_id, started_at) finds the old ones without reading the others.
  const old = await sql<{ org_id: number; id: number }>`
    select old.org_id, old.id from organisations o
    cross join lateral (
      select org_id, id from conversations
      where org_id = o.id and started_at < now() - make_interval(days => ${days}::int)
      order by started_at limit ${limit}
    ) as old
    limit ${limit}`.execute(db);
  if (old.rows.length === 0) return 0;
  await sql`
    delete from conversations using ${givenRows(old.rows, { id: 'bigint', org_id: 'bigint' })}
    where conversations.org_id = given.org_id and conversations.id = given.id`.execute(db);
  return old.rows.length;
}
