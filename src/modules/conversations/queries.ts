import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Db } from '../../db/database.ts';
import { CONVERSATION_MESSAGES_MAX } from '../../limits.ts';
import type { LinkTarget } from '../campaigns/check-in-link.ts';

export interface Invitation {
  readonly campaignId: number;
  readonly campaign: string;
  readonly questions: string[];
  readonly expired: boolean;
  readonly employeeId: number;
  readonly teamId: number;
  readonly name: string;
  readonly organisation: string;
}

export async function invitationOf(db: Db, { orgId, reachOutId }: LinkTarget): Promise<Invitation | undefined> {
  return db
    .selectFrom('reach_outs as r')
    .innerJoin('campaigns as c', (join) => join.onRef('c.org_id', '=', 'r.org_id').onRef('c.id', '=', 'r.campaign_id'))
    .innerJoin('employees as e', (join) => join.onRef('e.org_id', '=', 'r.org_id').onRef('e.id', '=', 'r.employee_id'))
    .innerJoin('organisations as o', 'o.id', 'r.org_id')
    .where('r.org_id', '=', orgId)
    .where('r.id', '=', reachOutId)
    .select([
      'c.id as campaignId',
      'c.name as campaign',
      'c.questions',
      'e.id as employeeId',
      'e.team_id as teamId',
      'e.name',
      'o.name as organisation',
      sql<boolean>`coalesce(c.link_expires_at <= now(), true)`.as('expired'),
    ])
    .executeTakeFirst();
}

/** The new conversation's id, or undefined when it was there already. */
export async function createConversation(
  db: Db,
  { orgId, reachOutId }: LinkTarget,
  invitation: Invitation,
): Promise<number | undefined> {
  const row = await db
    .insertInto('conversations')
    .values({
      org_id: orgId,
      campaign_id: invitation.campaignId,
      employee_id: invitation.employeeId,
      team_id: invitation.teamId,
      reach_out_id: reachOutId,
      last_seq: 1,
      step: 1,
    })
    .onConflict((conflict) => conflict.columns(['org_id', 'reach_out_id']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

/** The conversation, locked: seqs are handed out under this lock, so there is no gap and no duplicate. */
export function lockConversation(db: Db, orgId: number, which: { id: number } | { reachOutId: number }) {
  const query = db
    .selectFrom('conversations')
    .innerJoin('campaigns', (join) =>
      join
        .onRef('campaigns.org_id', '=', 'conversations.org_id')
        .onRef('campaigns.id', '=', 'conversations.campaign_id'),
    )
    .where('conversations.org_id', '=', orgId)
    .select([
      'conversations.id',
      'conversations.campaign_id',
      'conversations.team_id',
      'conversations.last_seq',
      'conversations.step',
      'conversations.finished_at',
      'campaigns.questions',
    ])
    .forUpdate('conversations');
  return (
    'id' in which
      ? query.where('conversations.id', '=', which.id)
      : query.where('conversations.reach_out_id', '=', which.reachOutId)
  ).executeTakeFirst();
}

export async function seqOfNonce(
  db: Db,
  orgId: number,
  conversationId: number,
  nonce: string,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('messages')
    .where('org_id', '=', orgId)
    .where('conversation_id', '=', conversationId)
    .where('nonce', '=', nonce)
    .select('seq')
    .executeTakeFirst();
  return row?.seq;
}

export interface Message {
  readonly seq: number;
  readonly sender: 'bot' | 'employee';
  readonly body: string;
  readonly at: string;
  /** The client's own mark on its answer, so that it knows it again; null for the bot. */
  readonly nonce: string | null;
}

type NewMessage = {
  seq: number;
  sender: 'bot' | 'employee';
  nonce: string | null;
  body: string;
  sentiment: number | null;
};

export async function addMessages(
  db: Db,
  orgId: number,
  conversationId: number,
  messages: NewMessage[],
): Promise<Message[]> {
  const rows = await db
    .insertInto('messages')
    .values(messages.map((message) => ({ org_id: orgId, conversation_id: conversationId, ...message })))
    .returning(['seq', 'sender', 'body', 'created_at as at', 'nonce'])
    .execute();
  return rows.toSorted((a, b) => a.seq - b.seq);
}

export function messagesAfter(db: Db, orgId: number, conversationId: number, seq: number): Promise<Message[]> {
  return db
    .selectFrom('messages')
    .where('org_id', '=', orgId)
    .where('conversation_id', '=', conversationId)
    .where('seq', '>', seq)
    .select(['seq', 'sender', 'body', 'created_at as at', 'nonce'])
    .orderBy('seq')
    .limit(CONVERSATION_MESSAGES_MAX)
    .execute();
}

export async function moveConversation(
  db: Db,
  orgId: number,
  id: number,
  move: { lastSeq: number; score: number; finished: boolean },
): Promise<void> {
  await db
    .updateTable('conversations')
    .set((q) => ({
      last_seq: move.lastSeq,
      step: q('step', '+', 1),
      answers: q('answers', '+', 1),
      score_sum: q('score_sum', '+', move.score),
      last_message_at: sql`now()`,
      ...(move.finished ? { finished_at: sql`now()` } : {}),
    }))
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
}

/** The day is the server's, in UTC. */
export async function addToMood(db: Db, orgId: number, teamId: number, score: number): Promise<void> {
  await sql`
    insert into mood_days (org_id, day, team_id, answers, score_sum)
    values (${orgId}, (now() at time zone 'utc')::date, ${teamId}, 1, ${score})
    on conflict (org_id, day, team_id) do update
      set answers = mood_days.answers + 1, score_sum = mood_days.score_sum + excluded.score_sum`.execute(db);
}

export async function addToProgress(
  db: Db,
  orgId: number,
  campaignId: number,
  more: { opened: number; answers: number; finished: number },
): Promise<void> {
  await db
    .updateTable('campaign_progress')
    .set((q) => ({
      opened: q('opened', '+', more.opened),
      answers: q('answers', '+', more.answers),
      finished: q('finished', '+', more.finished),
    }))
    .where('org_id', '=', orgId)
    .where('campaign_id', '=', campaignId)
    .execute();
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
  beforeId: number,
  limit: number,
) {
  let query = selectConversations(db, orgId)
    .where('v.id', '<', beforeId)
    .orderBy('v.id', 'desc')
    .limit(limit + 1);
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
    .select(['seq', 'sender', 'body', 'sentiment', 'created_at as at'])
    .orderBy('seq')
    .limit(CONVERSATION_MESSAGES_MAX)
    .execute();
  return { ...toConversation(row), messages };
}

type ConversationRow = Awaited<ReturnType<ReturnType<typeof selectConversations>['executeTakeFirstOrThrow']>>;

function toConversation(row: ConversationRow) {
  return {
    id: row.id,
    campaign: { id: row.campaign_id, name: row.campaign },
    employee: { id: row.employee_id, name: row.employee },
    team: { id: row.team_id, name: row.team },
    answers: row.answers,
    mood: row.answers === 0 ? null : Math.round((row.score_sum / row.answers) * 1000) / 1000,
    startedAt: row.started_at,
    lastMessageAt: row.last_message_at,
    finishedAt: row.finished_at,
  };
}

/** Deletes up to `limit` conversations (and their messages) that began before `days` ago; returns how many. */
export async function deleteOldConversations(db: Db, days: number, limit: number): Promise<number> {
  // Organisation by organisation, so that the index (org_id, started_at) finds the old ones without reading the others.
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
