import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  alerts: { leftOut: 'what holds there does not hold here' },
  asked_stops: { leftOut: 'they are of the processes of the original' },
  backups: { leftOut: 'they are of the original' },
};
