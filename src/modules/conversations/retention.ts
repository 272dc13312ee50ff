import { RETENTION_DAYS } from '../../limits.ts';
import { forgetRows, type Retention } from '../../queue/retention.ts';
import { deleteOldConversations } from './queries.ts';

export const retention = {
  conversations: {
    deleted: `${RETENTION_DAYS} days after they began`,
    forget: (database, signal) =>
      forgetRows(database, signal, (db, rows) => deleteOldConversations(db, RETENTION_DAYS, rows)),
  },
  messages: { deletedWith: 'conversations' },
} as const satisfies Retention;
