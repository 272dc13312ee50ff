import { every } from '../../queue/schedule.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { createAlerts } from './alerts.ts';
import { watchDeployment } from './deployment.ts';
import { WATCH_EVERY_MS } from './limits.ts';

export function jobs(context: JobsContext): Jobs {
  const look = watchDeployment(context);
  const tell = createAlerts({ ...context, report: context.metrics.report });
  return {
    loops: [
      every(WATCH_EVERY_MS, 'alerts', async (signal) => {
        await look();
        await tell(signal);
      }),
    ],
  };
}
