/**
 * Answers are stored in groups (see group-commit): those that arrive while others of their organisation are being
 * stored go into the next transaction together. All people of a campaign share its counters, so with one transaction
 * per answer each would wait for the commit before it.
 */
import { sql } from 'kysely';
import { givenByKey } from '../../db/batch-write.ts';
import { createSeqs, type Seqs, selectStored } from '../../db/idempotent-message.ts';
import type { Database } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { AppError, isDataFault } from '../../errors.ts';
import { createGroupCommit } from '../../flow/group-commit.ts';
import type { Metrics } from '../../process/metrics.ts';
import { addToProgress, type Question } from '../campaigns/campaigns.ts';
import { bodyOfChoice } from './answer-content.ts';
import { type Begun, beginConversations, type InvitationKey, LINK_EXPIRED, NO_SUCH_CHECK_IN } from './conversations.ts';
import { ANSWER_COMMITS_AT_ONCE, ANSWERS_PER_COMMIT_MAX, ANSWERS_WAITING_MAX } from './limits.ts';
import { addMessages, MESSAGES, type Message, type NewMessage, toMessage } from './queries.ts';

export interface Answered {
  /** The answer's place in the conversation. The same nonce always gets the same one. */
  readonly seq: number;
  /** New messages: the answer and the bot's reply; empty when the answer was already stored. */
  readonly messages: readonly Message[];
  readonly finished: boolean;
}

export interface GivenAnswer {
  readonly nonce: string;
  /** The seq of the question that it answers. */
  readonly questionSeq: number;
  readonly content: AnswerContent;
}

/** What answers a question with a text, and what answers one with a scale. */
export type AnswerContent = { readonly text: string } | { readonly choice: number };

/**
 * Stores an answer, asks the next question and updates the counters, in one transaction on the primary. Once it
 * resolves, the answer is committed; its score follows (see scoring). The first answer begins the conversation.
 *
 * Throws `conflict` unless it answers the question that waits, `invalid` when that one is answered in another way,
 * `gone` when the link has expired, `overloaded` when too many answers are waiting. An answer that was stored before is
 * acknowledged again, whatever has happened since.
 */
export type AnswerQuestion = (invitation: InvitationKey, answer: GivenAnswer) => Promise<Answered>;

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
  return ({ orgId, reachOutId }, answer) => group.add(orgId, { reachOutId, ...answer });
}

type Answer = GivenAnswer & { readonly reachOutId: number };

/** Locks in a fixed order: conversations by id, then the counters, which most other transactions need too. */
export async function storeAnswers(
  transaction: Db,
  orgId: number,
  answers: readonly Answer[],
): Promise<(Answered | AppError)[]> {
  const { conversations, begun } = await lockConversations(transaction, orgId, answers);
  const stored = await storedAnswers(transaction, orgId, answers, conversations);
  const added: NewMessage[] = [];
  const moved = new Set<Conversation>();

  const outcomes = answers.map((answer) => {
    const conversation = conversations.get(answer.reachOutId);
    if (conversation === undefined) return NO_SUCH_CHECK_IN();
    const name = { place: conversation.id, nonce: answer.nonce };
    const seq = stored.of(name);
    if (seq !== undefined) return { seq, messages: [], finished: conversation.finished };
    const refusal = refusalOf(conversation, answer);
    if (refusal !== undefined) return refusal;

    const messages = takeAnswer(conversation, answer);
    stored.add({ ...name, seq: messages[0].seq });
    moved.add(conversation);
    added.push(...messages);
    return {
      seq: messages[0].seq,
      messages: messages.map((message) => toMessage({ ...message, at: conversation.at })),
      finished: conversation.finished,
    };
  });

  if (added.length > 0) {
    await addMessages(transaction, orgId, added);
    await moveConversations(transaction, orgId, [...moved]);
  }
  if (added.length + begun.length > 0) await addToProgress(transaction, orgId, progressOf(moved, begun));
  return outcomes;
}

/** Undefined: it answers the question that waits, in the way in which that one is answered, and in time. */
function refusalOf(conversation: Conversation, { questionSeq, content }: Answer): AppError | undefined {
  const { waitingFor, finished, expired } = conversation;
  if (expired) return LINK_EXPIRED();
  if (finished || waitingFor === null)
    return new AppError('conflict', 'You have already finished this check-in. Thank you!');
  if (questionSeq < waitingFor) return new AppError('conflict', 'This question has already been answered.');
  if (questionSeq > waitingFor) return new AppError('conflict', 'This question has not been asked yet.');
  const asked = conversation.questions[conversation.step - 1]?.answer ?? 'text';
  const given = 'choice' in content ? 'scale' : 'text';
  if (asked === given) return undefined;
  return asked === 'scale'
    ? new AppError('invalid', 'This question is answered with a number from 1 to 5: send `choice`.')
    : new AppError('invalid', 'This question is answered in words: send `text`.');
}

/** The answer and the bot's reply; the conversation moves on. */
function takeAnswer(conversation: Conversation, { nonce, questionSeq, content }: Answer): [NewMessage, NewMessage] {
  const next = conversation.questions[conversation.step];
  const seq = conversation.lastSeq + 1;
  const [choice, body] = 'choice' in content ? [content.choice, bodyOfChoice(content.choice)] : [null, content.text];
  const answer: NewMessage = {
    conversation_id: conversation.id,
    seq,
    sender: 'employee',
    author: null,
    nonce,
    body,
    asks: null,
    question_seq: questionSeq,
    choice,
    unscored: true,
  };
  const reply: NewMessage = {
    conversation_id: conversation.id,
    seq: seq + 1,
    sender: 'bot',
    author: null,
    nonce: null,
    body: next?.text ?? FAREWELL,
    asks: next?.answer ?? null,
    question_seq: null,
    choice: null,
    unscored: false,
  };
  conversation.lastSeq = reply.seq;
  conversation.step++;
  conversation.answers++;
  conversation.waitingFor = next === undefined ? null : reply.seq;
  conversation.finished = next === undefined;
  return [answer, reply];
}

/** As it was when locked, then updated with each of its answers. */
interface Conversation {
  readonly id: number;
  readonly reachOutId: number;
  readonly campaignId: number;
  readonly questions: readonly Question[];
  readonly expired: boolean;
  /** The transaction's time, which everything it stores gets. */
  readonly at: string;
  lastSeq: number;
  step: number;
  waitingFor: number | null;
  finished: boolean;
  /** By this transaction. */
  answers: number;
}

/** By reach-out; begins those that are missing. Seqs are handed out under this lock, so no gap and no duplicate. */
async function lockConversations(
  db: Db,
  orgId: number,
  answers: readonly Answer[],
): Promise<{ conversations: Map<number, Conversation>; begun: readonly Begun[] }> {
  const wanted = [...new Set(answers.map(({ reachOutId }) => reachOutId))];
  const conversations = new Map<number, Conversation>();
  const missing = async (reachOutIds: number[]) => {
    for (const one of await lockByReachOut(db, orgId, reachOutIds)) conversations.set(one.reachOutId, one);
    return reachOutIds.filter((id) => !conversations.has(id));
  };
  const first = await missing(wanted);
  if (first.length === 0) return { conversations, begun: [] };
  const begun = await beginConversations(db, orgId, first);
  await missing(first);
  return { conversations, begun };
}

async function lockByReachOut(db: Db, orgId: number, reachOutIds: readonly number[]): Promise<Conversation[]> {
  const { rows } = await sql<Omit<Conversation, 'answers'>>`
    select v.id, v.reach_out_id as "reachOutId", v.campaign_id as "campaignId", v.last_seq as "lastSeq", v.step,
      v.waiting_for as "waitingFor",
      v.finished_at is not null as finished, c.questions, coalesce(c.link_expires_at <= now(), true) as expired, now() as at
    from conversations v join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
    where v.org_id = ${orgId} and v.reach_out_id = any(${reachOutIds}::bigint[])
    order by v.id for update of v`.execute(db);
  return rows.map((row) => ({ ...row, answers: 0 }));
}

async function storedAnswers(
  db: Db,
  orgId: number,
  answers: readonly Answer[],
  conversations: ReadonlyMap<number, Conversation>,
): Promise<Seqs> {
  const names = answers.flatMap(({ reachOutId, nonce }) => {
    const conversation = conversations.get(reachOutId);
    return conversation === undefined ? [] : [{ place: conversation.id, nonce }];
  });
  const { rows } = await selectStored(MESSAGES, orgId, names).execute(db);
  return createSeqs(rows);
}

async function moveConversations(db: Db, orgId: number, conversations: readonly Conversation[]): Promise<void> {
  const rows = conversations.map(({ id, lastSeq, step, waitingFor, answers, finished }) => ({
    id,
    last_seq: lastSeq,
    step,
    waiting_for: waitingFor,
    answers,
    finished,
  }));
  const changes = givenByKey(rows, {
    id: 'bigint',
    last_seq: 'integer',
    step: 'integer',
    waiting_for: 'integer',
    answers: 'integer',
    finished: 'boolean',
  });
  await sql`
    update conversations as v
    set (last_seq, step, waiting_for, answers, last_message_at, finished_at) = (
      select given.last_seq, given.step, given.waiting_for, v.answers + given.answers, now(),
        case when given.finished then now() end
      from ${changes.of(sql`v.id`)}
    )
    where v.org_id = ${orgId} and v.id = any(${changes.keys})`.execute(db);
}

function progressOf(conversations: Iterable<Conversation>, begun: readonly Begun[]) {
  const sums = new Map<number, { opened: number; answers: number; finished: number }>();
  const add = (campaignId: number, opened: number, answers: number, finished: number) => {
    const sum = sums.get(campaignId) ?? { opened: 0, answers: 0, finished: 0 };
    sums.set(campaignId, {
      opened: sum.opened + opened,
      answers: sum.answers + answers,
      finished: sum.finished + finished,
    });
  };
  for (const { campaignId } of begun) add(campaignId, 1, 0, 0);
  for (const { campaignId, answers, finished } of conversations) add(campaignId, 0, answers, finished ? 1 : 0);
  return [...sums].map(([campaign_id, sum]) => ({ campaign_id, ...sum }));
}
