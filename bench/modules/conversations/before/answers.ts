import type { Pool } from 'pg';
import { AppError } from '../../../../src/errors.ts';
import type { Question } from '../../../../src/modules/campaigns/campaigns.ts';
import { bodyOfChoice, moodOfChoice } from '../../../../src/modules/conversations/answer-content.ts';
import { FAREWELL } from '../../../../src/modules/conversations/answers.ts';
import { scoreText } from '../../../../src/modules/conversations/sentiment.ts';
import { inTransaction } from './database.ts';
import { type Message, type StoredMessage, toMessage } from './visits.ts';

export interface Stored {
  readonly seq: number;
  /** The answer and what the bot says to it; empty when the answer was stored before. */
  readonly messages: readonly Message[];
  readonly finished: boolean;
}

/** Once it resolves, the answer is committed. */
export type StoreAnswer = (
  conversation: { readonly orgId: number; readonly id: number },
  answer: GivenAnswer,
) => Promise<Stored>;

export interface GivenAnswer {
  readonly nonce: string;
  readonly questionSeq: number;
  readonly text: string;
  /** To a question with a scale, instead of a text. */
  readonly choice: number | null;
}

/** What is stored of it. Null: it cannot be scored. */
export function contentOf({ text, choice }: GivenAnswer): { readonly body: string; readonly score: number | null } {
  if (choice !== null) return { body: bodyOfChoice(choice), score: moodOfChoice(choice) };
  return { body: text, score: scoreText(text) };
}

interface Conversation {
  readonly lastSeq: number;
  readonly step: number;
  readonly finished: boolean;
  readonly campaignId: number;
  readonly teamId: number;
  readonly questions: readonly Question[];
}

/** A transaction for each answer, with the counters in it. */
export function answersOneByOne(pool: Pool): StoreAnswer {
  return ({ orgId, id }, given) => {
    const { nonce, questionSeq, choice } = given;
    const { body, score } = contentOf(given);
    const scored = score === null ? 0 : 1;
    return inTransaction(pool, async (db) => {
      const { rows } = await db.query<Conversation>(
        `select v.last_seq as "lastSeq", v.step, v.finished_at is not null as finished, v.campaign_id as "campaignId",
           v.team_id as "teamId", c.questions
         from conversations v join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
         where v.org_id = $1 and v.id = $2 for update of v`,
        [orgId, id],
      );
      const [conversation] = rows;
      if (conversation === undefined) throw new AppError('not_found', 'This check-in no longer exists.');
      const { lastSeq, step, finished, campaignId, teamId, questions } = conversation;

      const { rows: known } = await db.query<{ seq: number }>(
        'select seq from messages where org_id = $1 and conversation_id = $2 and nonce = $3',
        [orgId, id, nonce],
      );
      if (known[0] !== undefined) return { seq: known[0].seq, messages: [], finished };
      if (finished) throw new AppError('conflict', 'You have already finished this check-in. Thank you!');

      const next = questions[step];
      const seq = lastSeq + 1;
      const { rows: answer } = await db.query<StoredMessage>(
        `insert into messages (org_id, conversation_id, seq, sender, nonce, body, question_seq, choice, sentiment)
         values ($1, $2, $3, 'employee', $4, $5, $6, $7, $8) returning seq, sender, body, created_at as at, nonce, asks`,
        [orgId, id, seq, nonce, body, questionSeq, choice, score],
      );
      const { rows: reply } = await db.query<StoredMessage>(
        `insert into messages (org_id, conversation_id, seq, sender, body, asks)
         values ($1, $2, $3, 'bot', $4, $5) returning seq, sender, body, created_at as at, nonce, asks`,
        [orgId, id, seq + 1, next?.text ?? FAREWELL, next?.answer],
      );
      const isLast = next === undefined;
      await db.query(
        `update conversations set last_seq = $3, step = step + 1, waiting_for = $4, answers = answers + 1,
           scored = scored + $5, score_sum = score_sum + $6, last_message_at = now(),
           finished_at = case when $7 then now() end
         where org_id = $1 and id = $2`,
        [orgId, id, seq + 1, isLast ? null : seq + 1, scored, score ?? 0, isLast],
      );
      await db.query(
        `insert into mood_days (org_id, day, team_id, answers, scored, score_sum)
         values ($1, (now() at time zone 'utc')::date, $2, 1, $3, $4)
         on conflict (org_id, day, team_id) do update
           set answers = mood_days.answers + 1, scored = mood_days.scored + excluded.scored,
             score_sum = mood_days.score_sum + excluded.score_sum`,
        [orgId, teamId, scored, score ?? 0],
      );
      await db.query(
        `update campaign_progress set answers = answers + 1, finished = finished + $3
         where org_id = $1 and campaign_id = $2`,
        [orgId, campaignId, isLast ? 1 : 0],
      );
      return { seq, messages: [...answer, ...reply].map(toMessage), finished: isLast };
    });
  };
}
