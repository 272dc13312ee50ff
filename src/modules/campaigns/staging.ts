import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  campaigns: {
    columns: {
      name: 'blanked',
      subject: 'blanked',
      body: 'blanked',
      questions: { blanked: ['text'] },
      status: 'kept',
      cron: 'kept',
      time_zone: 'kept',
      // A place in the log of the original's servers, and the number of a transaction there.
      expand_position: 'dropped',
      expand_awaits: 'dropped',
      paused_about: 'kept',
      paused_reason: 'blanked',
    },
  },
  campaign_progress: { columns: {} },
  reach_outs: { columns: { status: 'kept', error: 'blanked', cause: 'kept' } },
};
