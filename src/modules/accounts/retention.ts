import { forgetRows, type Retention } from '../../queue/retention.ts';
import { deleteExpiredSessions } from './queries.ts';

export const retention = {
  organisations: { kept: 'for as long as it is a customer' },
  users: { kept: 'for as long as their organisation is a customer' },
  sessions: {
    deleted: 'when they have expired',
    forget: (database, signal) => forgetRows(database, signal, deleteExpiredSessions),
  },
} as const satisfies Retention;
