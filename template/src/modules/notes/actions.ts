import type { AuditWords } from '../../../../src/modules/audit/audit.ts';

/** What this module writes to the audit log. */
export const actions = {
  'note.written': 'Wrote a note',
  'note.changed': 'Changed a note',
} as const satisfies AuditWords;

declare module '../../../../src/modules/audit/audit.ts' {
  interface AuditActions extends Record<keyof typeof actions, Details> {}
}
