import type { AuditWords } from '../audit/audit.ts';

/** What this module writes to the audit log. */
export const actions = {
  'import.started': 'Sent the file of an import',
  'import.finished': 'Imported employees',
  'import.failed': 'Sent a file that could not be imported to its end',
  'employee.exported': 'Exported what is held about an employee',
  'employee.erased': 'Erased an employee',
} as const satisfies AuditWords;

declare module '../audit/audit.ts' {
  interface AuditActions extends Record<keyof typeof actions, Details> {}
}
