import type { AuditWords } from '../audit/audit.ts';

/** What this module writes to the audit log. */
export const actions = {
  'suppression.added': 'Suppressed an address',
  'suppression.lifted': 'Lifted a suppression',
} as const satisfies AuditWords;

declare module '../audit/audit.ts' {
  interface AuditActions extends Record<keyof typeof actions, Details> {}
}
