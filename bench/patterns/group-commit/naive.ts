import type { Database } from '../../../src/db/read-write-split.ts';
import { type AnswerQuestion, storeAnswers } from '../../../src/modules/conversations/answers.ts';
import { scoreSentiment } from '../../../src/modules/conversations/sentiment.ts';

/** A transaction for each answer, with the same statements. */
export function createAnswers(database: Database): AnswerQuestion {
  return async ({ orgId, id }, { nonce, body }) => {
    const answer = { conversationId: id, nonce, body, sentiment: scoreSentiment(body) };
    const { value } = await database.write(orgId, (transaction) => storeAnswers(transaction, orgId, [answer]));
    const [answered] = value;
    if (answered === undefined || answered instanceof Error) throw answered;
    return answered;
  };
}
