import type { Database } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { RETENTION_DAYS, RETENTION_EVERY_MS, RETENTION_STEP_ROWS } from '../../limits.ts';
import { deleteInSteps, every } from '../../queue/schedule.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { SCORING_EVERY_MS } from './limits.ts';
import { deleteOldConversations } from './queries.ts';
import { scoreAnswers } from './scoring.ts';

export function jobs({ database, log }: JobsContext): Jobs {
  return {
    loops: [
      every(SCORING_EVERY_MS, 'answer scores', (signal) => scoreAnswers(database, log, signal)),
      every(RETENTION_EVERY_MS, 'old conversations', (signal) => forgetOldConversations(database, signal)),
    ],
  };
}

/** Deletes conversations older than RETENTION_DAYS, with their messages. Returns how many. */
export function forgetOldConversations(database: Database, signal: AbortSignal): Promise<number> {
  return deleteInSteps(RETENTION_STEP_ROWS, signal, (rows) =>
    database.transact(EVERY_ORGANISATION, (transaction) => deleteOldConversations(transaction, RETENTION_DAYS, rows)),
  );
}
