import { forgetRows, type Retention } from '../../queue/retention.ts';
import { AUDIT_DAYS } from './limits.ts';
import { deleteOldEntries } from './queries.ts';

export const retention = {
  audit_log: {
    deleted: `${AUDIT_DAYS} days after what they record; nobody can delete or change a younger one`,
    forget: (database, signal) => forgetRows(database, signal, deleteOldEntries),
  },
} as const satisfies Retention;
