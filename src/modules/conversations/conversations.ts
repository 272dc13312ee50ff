import type { Db } from '../../db/database.ts';
import type { Database } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import { type LinkTarget, readLinkToken } from '../campaigns/check-in-link.ts';
import {
  addMessages,
  addToMood,
  addToProgress,
  createConversation,
  invitationOf,
  lockConversation,
  type Message,
  messagesAfter,
  moveConversation,
  seqOfNonce,
} from './queries.ts';
import { scoreSentiment } from './sentiment.ts';

export interface OpenConversation {
  readonly orgId: number;
  readonly id: number;
  readonly name: string;
  readonly organisation: string;
  readonly campaign: string;
  readonly questions: number;
  readonly messages: Message[];
  readonly lastSeq: number;
  readonly finished: boolean;
}

/**
 * Opens the conversation that a check-in link leads to, with its messages after `lastSeq`; the first visit creates it,
 * together with the first question. Throws `not_found` for a link that is not ours, `gone` for one that expired.
 */
export async function openConversation(
  database: Database,
  secretKey: string,
  token: string,
  lastSeq: number,
): Promise<OpenConversation> {
  const target = readLinkToken(secretKey, 'check-in', token);
  if (target === undefined) throw new AppError('not_found', 'This link is not complete. Open it from the mail again.');
  const { value } = await database.write(target.orgId, (transaction) => openIn(transaction, target, lastSeq));
  return value;
}

async function openIn(transaction: Db, target: LinkTarget, lastSeq: number): Promise<OpenConversation> {
  const invitation = await invitationOf(transaction, target);
  if (invitation === undefined) throw new AppError('not_found', 'This check-in is no longer there.');
  if (invitation.expired) throw new AppError('gone', 'This check-in is closed. The next mail brings a new link.');
  const { orgId } = target;
  const created = await createConversation(transaction, target, invitation);
  if (created !== undefined) {
    await addMessages(transaction, orgId, created, [
      { seq: 1, sender: 'bot', nonce: null, body: greet(invitation), sentiment: null },
    ]);
    await addToProgress(transaction, orgId, invitation.campaignId, { opened: 1, answers: 0, finished: 0 });
  }
  const conversation = await lockConversation(transaction, orgId, { reachOutId: target.reachOutId });
  if (conversation === undefined) throw new AppError('not_found', 'This check-in is no longer there.');
  return {
    orgId,
    id: conversation.id,
    name: invitation.name,
    organisation: invitation.organisation,
    campaign: invitation.campaign,
    questions: invitation.questions.length,
    messages: await messagesAfter(transaction, orgId, conversation.id, lastSeq),
    lastSeq: conversation.last_seq,
    finished: conversation.finished_at !== null,
  };
}

export interface Answered {
  /** The answer's own place. The same nonce always gets the same. */
  readonly seq: number;
  /** What is new in the conversation: the answer and what the bot says to it; empty when the answer was known. */
  readonly messages: Message[];
  readonly finished: boolean;
}

/**
 * Stores an answer, scores it, asks the next question and moves the counters, in one transaction on the primary. When
 * it resolves, the answer is committed. Locks in fixed order: conversation, team's day, campaign's counters.
 * Throws `conflict` when the conversation is finished.
 */
export async function answerQuestion(
  database: Database,
  conversation: { orgId: number; id: number },
  answer: { nonce: string; body: string },
): Promise<Answered> {
  const sentiment = scoreSentiment(answer.body);
  const { value } = await database.write(conversation.orgId, (transaction) =>
    answerIn(transaction, conversation, { ...answer, sentiment }),
  );
  return value;
}

async function answerIn(
  transaction: Db,
  { orgId, id }: { orgId: number; id: number },
  answer: { nonce: string; body: string; sentiment: number },
): Promise<Answered> {
  const conversation = await lockConversation(transaction, orgId, { id });
  if (conversation === undefined) throw new AppError('not_found', 'This check-in is no longer there.');
  const known = await seqOfNonce(transaction, orgId, id, answer.nonce);
  if (known !== undefined) return { seq: known, messages: [], finished: conversation.finished_at !== null };
  if (conversation.finished_at !== null) throw new AppError('conflict', 'This check-in is finished. Thank you!');

  const seq = conversation.last_seq + 1;
  const finished = conversation.step >= conversation.questions.length;
  const messages = await addMessages(transaction, orgId, id, [
    { seq, sender: 'employee', ...answer },
    {
      seq: seq + 1,
      sender: 'bot',
      nonce: null,
      body: finished ? FAREWELL : (conversation.questions[conversation.step] as string),
      sentiment: null,
    },
  ]);
  await moveConversation(transaction, orgId, id, { lastSeq: seq + 1, score: answer.sentiment, finished });
  await addToMood(transaction, orgId, conversation.team_id, answer.sentiment);
  await addToProgress(transaction, orgId, conversation.campaign_id, {
    opened: 0,
    answers: 1,
    finished: finished ? 1 : 0,
  });
  return { seq, messages, finished };
}

export const FAREWELL = 'Thank you! That was all. What you said is with your people team now.';

function greet(invitation: { name: string; questions: string[] }): string {
  return `Hi ${firstName(invitation.name)}! ${invitation.questions[0]}`;
}

/** `Ada Lovelace` and, as many lists have it, `Lovelace, Ada`. */
function firstName(name: string): string {
  const [last = '', first = ''] = name.split(',');
  return (first.trim() || last.trim()).split(/\s+/)[0] as string;
}
