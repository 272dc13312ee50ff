import type { Pool } from 'pg';
import { AppError } from '../../../../src/errors.ts';
import { FAREWELL } from '../../../../src/modules/conversations/answers.ts';
import { scoreSentiment } from '../../../../src/modules/conversations/sentiment.ts';
import { inTransaction } from './database.ts';
import type { Message } from './visits.ts';

export interface Stored {
  readonly seq: number;
  /** The answer and what the bot says to it; empty when the answer was stored before. */
  readonly messages: readonly Message[];
  readonly finished: boolean;
}

/** Once it resolves, the answer is committed. */
export type StoreAnswer = (
  conversation: { readonly orgId: number; readonly id: number },
  answer: { readonly nonce: string; readonly text: string },
) => Promise<Stored>;

interface Conversation {
  readonly lastSeq: number;
  readonly step: number;
  readonly finished: boolean;
  readonly campaignId: number;
  readonly teamId: number;
  readonly questions: readonly string[];
}

/** A transaction for each answer, with the counters in it. */
export function answersOneByOne(pool: Pool): StoreAnswer {
  return ({ orgId, id }, { nonce, text }) => {
    const score = scoreSentiment(text);
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
      const { rows: answer } = await db.query<Message>(
        `insert into messages (org_id, conversation_id, seq, sender, nonce, body, sentiment)
         values ($1, $2, $3, 'employee', $4, $5, $6) returning seq, sender, body, created_at as at, nonce`,
        [orgId, id, seq, nonce, text, score],
      );
      const { rows: reply } = await db.query<Message>(
        `insert into messages (org_id, conversation_id, seq, sender, body)
         values ($1, $2, $3, 'bot', $4) returning seq, sender, body, created_at as at, nonce`,
        [orgId, id, seq + 1, next ?? FAREWELL],
      );
      const isLast = next === undefined;
      await db.query(
        `update conversations set last_seq = $3, step = step + 1, answers = answers + 1, score_sum = score_sum + $4,
           last_message_at = now(), finished_at = case when $5 then now() end
         where org_id = $1 and id = $2`,
        [orgId, id, seq + 1, score, isLast],
      );
      await db.query(
        `insert into mood_days (org_id, day, team_id, answers, score_sum)
         values ($1, (now() at time zone 'utc')::date, $2, 1, $3)
         on conflict (org_id, day, team_id) do update
           set answers = mood_days.answers + 1, score_sum = mood_days.score_sum + excluded.score_sum`,
        [orgId, teamId, score],
      );
      await db.query(
        `update campaign_progress set answers = answers + 1, finished = finished + $3
         where org_id = $1 and campaign_id = $2`,
        [orgId, campaignId, isLast ? 1 : 0],
      );
      return { seq, messages: [...answer, ...reply], finished: isLast };
    });
  };
}
