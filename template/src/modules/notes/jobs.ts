import type { Database } from '../../../../src/db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../../../src/db/tenant-isolation.ts';
import { RETENTION_EVERY_MS, RETENTION_STEP_ROWS } from '../../../../src/limits.ts';
import type { Jobs, JobsContext } from '../../../../src/modules/faces.ts';
import { deleteInSteps, every } from '../../../../src/queue/schedule.ts';
import { NOTES_DONE_DAYS } from './limits.ts';
import { countWritten } from './notes.ts';
import { deleteOldNotes } from './queries.ts';

export function jobs({ database }: JobsContext): Jobs {
  return {
    topics: { 'note.written': (events, transaction) => countWritten(transaction, events) },
    loops: [every(RETENTION_EVERY_MS, 'old notes', (signal) => forgetOldNotes(database, signal))],
  };
}

/** Deletes notes that were marked as done more than NOTES_DONE_DAYS ago. Returns how many. */
export function forgetOldNotes(database: Database, signal: AbortSignal): Promise<number> {
  return deleteInSteps(RETENTION_STEP_ROWS, signal, (rows) =>
    database.transact(EVERY_ORGANISATION, (transaction) => deleteOldNotes(transaction, NOTES_DONE_DAYS, rows)),
  );
}
