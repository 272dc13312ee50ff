import type { Database } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { RETENTION_EVERY_MS, RETENTION_STEP_ROWS } from '../../limits.ts';
import { deleteInSteps, every } from '../../queue/schedule.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { deleteExpiredSessions } from './queries.ts';

export function jobs({ database }: JobsContext): Jobs {
  return {
    loops: [every(RETENTION_EVERY_MS, 'expired sessions', (signal) => forgetExpiredSessions(database, signal))],
  };
}

/** Deletes expired sessions. Returns how many. */
export function forgetExpiredSessions(database: Database, signal: AbortSignal): Promise<number> {
  return deleteInSteps(RETENTION_STEP_ROWS, signal, (rows) =>
    database.transact(EVERY_ORGANISATION, (transaction) => deleteExpiredSessions(transaction, rows)),
  );
}
