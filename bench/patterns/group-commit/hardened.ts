import type { Database } from '../../../src/db/read-write-split.ts';
import {
  type AnswerQuestion,
  createAnswers as createGroupedAnswers,
} from '../../../src/modules/conversations/answers.ts';
import { createMetrics } from '../../../src/process/metrics.ts';

/** A transaction for all answers that came while the one before was being committed. */
export function createAnswers(database: Database): AnswerQuestion {
  return createGroupedAnswers(database, createMetrics('bench'));
}
