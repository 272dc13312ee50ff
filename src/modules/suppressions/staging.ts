import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  suppressions: { columns: { address: 'address', reason: 'kept', detail: 'blanked', lifted_by: 'name' } },
};
