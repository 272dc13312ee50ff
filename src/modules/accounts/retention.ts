import { forgetRows, type Retention } from '../../queue/retention.ts';
import { deleteExpiredApiKeys } from './api-key-queries.ts';
import { deleteExpiredInvitations } from './invitation-queries.ts';
import { EXPIRED_KEPT_DAYS } from './limits.ts';
import { deleteExpiredPasswordResets } from './password-reset-queries.ts';
import { deleteExpiredSessions } from './queries.ts';
import { deleteExpiredRegistrations } from './registration-queries.ts';

export const retention = {
  registrations: {
    deleted: 'when they are confirmed or have expired',
    forget: (database, signal) => forgetRows(database, signal, deleteExpiredRegistrations),
  },
  organisations: { kept: 'for as long as it is a customer' },
  users: { kept: 'until they are removed, for as long as their organisation is a customer' },
  sessions: {
    deleted: 'when they have expired',
    forget: (database, signal) => forgetRows(database, signal, deleteExpiredSessions),
  },
  invitations: {
    deleted: `when they are used or withdrawn, or ${EXPIRED_KEPT_DAYS} days after they have expired`,
    forget: (database, signal) => forgetRows(database, signal, deleteExpiredInvitations),
  },
  password_resets: {
    deleted: 'when they are used or have expired',
    forget: (database, signal) => forgetRows(database, signal, deleteExpiredPasswordResets),
  },
  api_keys: {
    deleted: `when they are revoked, or ${EXPIRED_KEPT_DAYS} days after they have expired`,
    forget: (database, signal) => forgetRows(database, signal, deleteExpiredApiKeys),
  },
  second_factors: { deletedWith: 'users' },
  recovery_codes: { deletedWith: 'second_factors' },
  oidc_identities: { deletedWith: 'users' },
} as const satisfies Retention;
