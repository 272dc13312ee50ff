import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  webhook_endpoints: { leftOut: 'they lead to the servers of customers' },
  webhook_deliveries: { leftOut: 'they were sent, or will be, by the original' },
};
