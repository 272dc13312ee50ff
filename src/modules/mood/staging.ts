import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  mood_days: { columns: {} },
};
