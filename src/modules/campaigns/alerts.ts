import type { AlertRule } from '../../process/alert-before-full.ts';
import { STOPPED_ALERT_MS } from './limits.ts';

export const alerts: readonly AlertRule[] = [
  {
    name: 'CampaignsStopped',
    ...{ severity: 'today', metric: 'campaigns_stopped', above: 0, unit: 'count', forMs: STOPPED_ALERT_MS },
    says: 'Campaigns do not go out because the mail server takes no mail',
    look: 'Each shows the words of the mail server on its page. They go on by themselves when it takes mail again; those that it has refused for days are paused, and somebody must resume them.',
  },
];
