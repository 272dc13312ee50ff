import type { AuditWords } from '../audit/audit.ts';

/** What this module writes to the audit log. */
export const actions = {
  'campaign.created': 'Created a campaign',
  'campaign.changed': 'Changed the draft of a campaign',
  'campaign.tested': 'Sent a test mail to themselves',
  'campaign.scheduled': 'Scheduled a campaign',
  'campaign.launched': 'Launched a campaign',
  'campaign.paused': 'Paused a campaign',
  'campaign.resumed': 'Resumed a campaign',
  'campaign.retried': 'Sent a campaign again to those who had not got it',
  'campaign.cancelled': 'Cancelled a campaign',
} as const satisfies AuditWords;

declare module '../audit/audit.ts' {
  interface AuditActions extends Record<keyof typeof actions, Details> {}
}
