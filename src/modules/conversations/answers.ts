/**
 * Answers are stored in groups (see group-commit): those that arrive while others of their organisation are being
 * stored go into the next transaction together. All people of a campaign share its counters, so with one transaction
 * per answer each would wait for the commit before it.
 */
import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Db } from '../../db/database.ts';
import type { Database } from '../../db/read-write-split.ts';
import { AppError, isDataFault } from '../../errors.ts';
import { createGroupCommit } from '../../flow/group-commit.ts';
import type { Metrics } from '../../process/metrics.ts';
import { addToProgress } from '../campaigns/campaigns.ts';
import { addToMood } from '../mood/mood.ts';
import { ANSWER_COMMITS_AT_ONCE, ANSWERS_PER_COMMIT_MAX, ANSWERS_WAITING_MAX } from './limits.ts';
import { addMessages, type Message, type NewMessage } from './queries.ts';
import { scoreSentiment } from './sentiment.ts';

export interface Answered {
  /** The answer's place in the conversation. The same nonce always gets the same one. */
  readonly seq: number;
  /** New messages: the answer and the bot's reply; empty when the answer was already stored. */
  readonly messages: readonly Message[];
  readonly finished: boolean;
}

/**
 * Stores an answer, scores it, asks the next question and updates the counters, in one transaction on the primary. Once
 * it resolves, the answer is committed. Throws `conflict` when the conversation is finished, `overloaded` when too many
 * answers are waiting.
 */
export type AnswerQuestion = (
  conversation: { readonly orgId: number; readonly id: number },
  answer: { readonly nonce: string; readonly body: string },
) => Promise<Answered>;

export const FAREWELL =
  'Thank you for sharing! That was the last question, and your answers are now with your people team. Take care!';

export function createAnswers(database: Database, metrics: Metrics): AnswerQuestion {
  const commits = metrics.counter('answer_commits', 'Transactions that stored answers');
  const group = createGroupCommit<number, Answer, Answered>({
    what: 'answers',
    limits: { atOnce: ANSWER_COMMITS_AT_ONCE, items: ANSWERS_PER_COMMIT_MAX, waiting: ANSWERS_WAITING_MAX },
    async commit(orgId, answers) {
      const stored = await database.transact(orgId, (transaction) => storeAnswers(transaction, orgId, answers));
      commits.inc();
      return stored;
    },
    isFaultOfOne: isDataFault,
  });
  metrics.gauge('answers_waiting', 'Answers waiting for an earlier commit', () => group.waiting);
  return ({ orgId, id }, { nonce, body }) =>
    group.add(orgId, { conversationId: id, nonce, body, sentiment: scoreSentiment(body) });
}

interface Answer {
  readonly conversationId: number;
  readonly nonce: string;
  readonly body: string;
  readonly sentiment: number;
}

/**
 * Locks in a fixed order: conversations by id, days by team, then the counters, which most other transactions need too.
 */
export async function storeAnswers(
  transaction: Db,
  orgId: number,
  answers: readonly Answer[],
): Promise<(Answered | AppError)[]> {
  const conversations = await lockConversations(transaction, orgId, answers);
  const known = await knownAnswers(transaction, orgId, answers);
  const added: NewMessage[] = [];
  const moved = new Set<Conversation>();

  const outcomes = answers.map(({ conversationId, nonce, body, sentiment }) => {
    const conversation = conversations.get(conversationId);
    if (conversation === undefined) return new AppError('not_found', 'This check-in no longer exists.');
    const place = `${conversationId}/${nonce}`;
    const seq = known.get(place);
    if (seq !== undefined) return { seq, messages: [], finished: conversation.finished };
    if (conversation.finished) return new AppError('conflict', 'You have already finished this check-in. Thank you!');

    const answer = { seq: conversation.lastSeq + 1, sender: 'employee', nonce, body, sentiment } as const;
    const next = conversation.questions[conversation.step];
    const reply = { seq: answer.seq + 1, sender: 'bot', nonce: null, body: next ?? FAREWELL, sentiment: null } as const;
    known.set(place, answer.seq);
    moved.add(conversation);
    added.push({ conversation_id: conversationId, ...answer }, { conversation_id: conversationId, ...reply });
    conversation.lastSeq = reply.seq;
    conversation.step++;
    conversation.answers++;
    conversation.score += sentiment;
    conversation.finished = next === undefined;
    const messages = [answer, reply].map((message) => toMessage(message, conversation.at));
    return { seq: answer.seq, messages, finished: conversation.finished };
  });

  if (added.length > 0) {
    await addMessages(transaction, orgId, added);
    await moveConversations(transaction, orgId, [...moved]);
    await addToMood(transaction, orgId, moodOf(moved));
    await addToProgress(transaction, orgId, progressOf(moved));
  }
  return outcomes;
}

/** As it was when locked, then updated with each of its answers. */
interface Conversation {
  readonly id: number;
  readonly campaignId: number;
  readonly teamId: number;
  readonly questions: readonly string[];
  /** The transaction's time, which everything it stores gets. */
  readonly at: string;
  lastSeq: number;
  step: number;
  finished: boolean;
  /** By this transaction. */
  answers: number;
  score: number;
}

/** Seqs are handed out under this lock, so there is no gap and no duplicate. */
async function lockConversations(
  db: Db,
  orgId: number,
  answers: readonly Answer[],
): Promise<Map<number, Conversation>> {
  const { rows } = await sql<Omit<Conversation, 'answers' | 'score'>>`
    select v.id, v.campaign_id as "campaignId", v.team_id as "teamId", v.last_seq as "lastSeq", v.step,
      v.finished_at is not null as finished, c.questions, now() as at
    from conversations v join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
    where v.org_id = ${orgId} and v.id = any(${idsOf(answers)}::bigint[])
    order by v.id for update of v`.execute(db);
  return new Map(rows.map((row) => [row.id, { ...row, answers: 0, score: 0 }]));
}

/** The places of answers that were stored before, by `conversation/nonce`. */
async function knownAnswers(db: Db, orgId: number, answers: readonly Answer[]): Promise<Map<string, number>> {
  const rows = answers.map(({ conversationId, nonce }) => ({ conversation_id: conversationId, nonce }));
  const { rows: known } = await sql<{ conversation_id: number; nonce: string; seq: number }>`
    select given.conversation_id, given.nonce, m.seq
    from ${givenRows(rows, { conversation_id: 'bigint', nonce: 'text' })}
    cross join lateral (
      select seq from messages
      where org_id = ${orgId} and conversation_id = given.conversation_id and nonce = given.nonce limit 1
    ) as m`.execute(db);
  return new Map(known.map(({ conversation_id, nonce, seq }) => [`${conversation_id}/${nonce}`, seq]));
}

async function moveConversations(db: Db, orgId: number, conversations: readonly Conversation[]): Promise<void> {
  const rows = conversations.map(({ id, lastSeq, step, answers, score, finished }) => ({
    id,
    last_seq: lastSeq,
    step,
    answers,
    score,
    finished,
  }));
  // Also an array: the campaigns' ledger explains why.
  await sql`
    update conversations as v
    set last_seq = given.last_seq, step = given.step, answers = v.answers + given.answers,
      score_sum = v.score_sum + given.score, last_message_at = now(),
      finished_at = case when given.finished then now() end
    from ${givenRows(rows, { id: 'bigint', last_seq: 'integer', step: 'integer', answers: 'integer', score: 'real', finished: 'boolean' })}
    where v.org_id = ${orgId} and v.id = any(${rows.map(({ id }) => id)}::bigint[]) and v.id = given.id`.execute(db);
}

function moodOf(conversations: Iterable<Conversation>) {
  return sumBy(conversations, ({ teamId }) => teamId).map(([team, { answers, score }]) => ({
    team_id: team,
    answers,
    score,
  }));
}

function progressOf(conversations: Iterable<Conversation>) {
  return sumBy(conversations, ({ campaignId }) => campaignId).map(([campaign, { answers, finished }]) => ({
    campaign_id: campaign,
    opened: 0,
    answers,
    finished,
  }));
}

function sumBy(conversations: Iterable<Conversation>, keyOf: (conversation: Conversation) => number) {
  const sums = new Map<number, { answers: number; score: number; finished: number }>();
  for (const conversation of conversations) {
    const key = keyOf(conversation);
    const sum = sums.get(key) ?? { answers: 0, score: 0, finished: 0 };
    sum.answers += conversation.answers;
    sum.score += conversation.score;
    sum.finished += conversation.finished ? 1 : 0;
    sums.set(key, sum);
  }
  return [...sums];
}

function toMessage({ seq, sender, body, nonce }: Omit<NewMessage, 'conversation_id'>, at: string): Message {
  return { seq, sender, body, at, nonce };
}

function idsOf(answers: readonly Answer[]): number[] {
  return answers.map(({ conversationId }) => conversationId);
}
