import type { AuditWords } from '../audit/audit.ts';

/** What this module writes to the audit log. */
export const actions = {
  'conversation.stepped-into': 'Stepped into a conversation',
  'answers.exported': 'Exported answers',
} as const satisfies AuditWords;

declare module '../audit/audit.ts' {
  interface AuditActions extends Record<keyof typeof actions, Details> {}
}
