import { forgetRows, type Retention } from '../../../../src/queue/retention.ts';
import { NOTES_DONE_DAYS } from './limits.ts';
import { deleteOldNotes } from './queries.ts';

/** Every table of the module, and what becomes of its rows. */
export const retention = {
  notes: {
    deleted: `${NOTES_DONE_DAYS} days after they were marked as done`,
    forget: (database, signal) => forgetRows(database, signal, (db, rows) => deleteOldNotes(db, NOTES_DONE_DAYS, rows)),
  },
  note_days: { kept: 'one row for each day' },
} as const satisfies Retention;
