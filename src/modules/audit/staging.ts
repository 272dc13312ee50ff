import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  audit_log: {
    columns: {
      actor: 'name',
      api_key: 'dropped',
      network: 'dropped',
      action: 'kept',
      subject: 'blanked',
      details: 'dropped',
    },
  },
};
