import type { StagingRules } from '../../../../src/modules/faces.ts';

export const staging: StagingRules = {
  notes: { columns: { title: 'blanked', body: 'blanked', status: 'kept' } },
  note_days: { columns: {} },
};
