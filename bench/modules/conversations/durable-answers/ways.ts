/** Two ways to store the same answers with the same statements, over the same pool. */
import pLimit from 'p-limit';
import type { Database } from '../../../../src/db/read-write-split.ts';
import { POOL_PRIMARY } from '../../../../src/limits.ts';
import { type AnswerQuestion, createAnswers, storeAnswers } from '../../../../src/modules/conversations/answers.ts';
import type { Metrics } from '../../../../src/process/metrics.ts';

export const WAYS = ['grouped', 'single'] as const;
export type Way = (typeof WAYS)[number];

export function createWays(database: Database, metrics: Metrics): Readonly<Record<Way, AnswerQuestion>> {
  return { grouped: createAnswers(database, metrics), single: answersOneByOne(database) };
}

/** Every answer is a transaction. As many at once as there are connections; the others wait, and none is refused. */
function answersOneByOne(database: Database): AnswerQuestion {
  const atOnce = pLimit(POOL_PRIMARY.chat);
  return ({ orgId, reachOutId }, answer) =>
    atOnce(async () => {
      const [stored] = await database.transact(orgId, (transaction) =>
        storeAnswers(transaction, orgId, [{ reachOutId, ...answer }]),
      );
      if (stored === undefined || stored instanceof Error) throw stored;
      return stored;
    });
}
