import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  alerts: { leftOut: 'what holds there does not hold here' },
  backups: { leftOut: 'they are of the original' },
};
