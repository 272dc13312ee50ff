import type { AuditWords } from '../audit/audit.ts';

/** What this module writes to the audit log. */
export const actions = {
  'organisation.registered': 'Registered the organisation',
  'session.started': 'Signed in',
  'session.ended': 'Signed out, or ended a session',
  'session.others-ended': 'Ended all other sessions',
  'password.changed': 'Changed their password',
  'password.reset-requested': 'Asked for a link to reset the password',
  'password.reset': 'Reset their password',
  'second-factor.set-up': 'Set up a second factor',
  'second-factor.removed': 'Removed their second factor',
  'identity.linked': 'Linked a company account',
  'api-key.created': 'Created an API key',
  'api-key.revoked': 'Revoked an API key',
  'invitation.sent': 'Invited somebody',
  'invitation.withdrawn': 'Withdrew an invitation',
  'member.joined': 'Joined the organisation',
  'member.role-changed': 'Changed the role of a member',
  'member.removed': 'Removed a member',
} as const satisfies AuditWords;

declare module '../audit/audit.ts' {
  interface AuditActions extends Record<keyof typeof actions, Details> {}
}
