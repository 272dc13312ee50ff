import type { Database } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { RETENTION_DAYS, RETENTION_STEP_ROWS } from '../../limits.ts';
import { deleteOldConversations } from './queries.ts';

/** Deletes what is older than RETENTION_DAYS, a step at a time, so that no lock is held for long. Returns how many. */
export async function forgetOldConversations(database: Database, signal: AbortSignal): Promise<number> {
  let forgotten = 0;
  while (!signal.aborted) {
    const { value } = await database.write(EVERY_ORGANISATION, (transaction) =>
      deleteOldConversations(transaction, RETENTION_DAYS, RETENTION_STEP_ROWS),
    );
    forgotten += value;
    if (value < RETENTION_STEP_ROWS) break;
  }
  return forgotten;
}
