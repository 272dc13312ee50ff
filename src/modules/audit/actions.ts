import type { AuditWords } from './audit.ts';

/** What this module writes to the audit log. */
export const actions = {
  'audit-log.exported': 'Exported the audit log',
} as const satisfies AuditWords;

declare module './audit.ts' {
  interface AuditActions extends Record<keyof typeof actions, Details> {}
}
