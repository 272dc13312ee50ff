import type { AuditWords } from '../audit/audit.ts';

/** What this module writes to the audit log. */
export const actions = {
  'webhook.created': 'Added a webhook',
  'webhook.changed': 'Changed a webhook',
  'webhook.secret-rotated': 'Changed the secret of a webhook',
  'webhook.tested': 'Sent a test event to a webhook',
  'webhook.replayed': 'Sent events to a webhook again',
  'webhook.disabled': 'Turned off a webhook that could not be reached',
  'webhook.deleted': 'Deleted a webhook',
} as const satisfies AuditWords;

declare module '../audit/audit.ts' {
  interface AuditActions extends Record<keyof typeof actions, Details> {}
}
