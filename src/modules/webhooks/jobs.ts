import { every } from '../../queue/schedule.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { createDispatcher } from './dispatcher.ts';
import { deliverToEndpoints } from './fan-out.ts';
import { WEBHOOK_EVERY_MS, WEBHOOK_NOTICE_SWEEP_EVERY_MS } from './limits.ts';
import { enqueueNotices, NOTICE_QUEUE, type NoticeJob, sweepNotices, tellNextOwner } from './notices.ts';
import type { MadeCall } from './turn.ts';

export function jobs(context: JobsContext): Jobs {
  const { config, database, log, metrics } = context;
  const notices = context.queue(NOTICE_QUEUE);
  const calls = metrics.labelledCounter('webhook_calls', 'Calls of webhooks, by how they ended', ['outcome']);
  const seconds = metrics.histogram('webhook_call_seconds', 'How long the calls of webhooks took', {
    labels: [],
    buckets: [0.1, 0.5, 1, 2, 5, 15],
  });
  const count = (call: MadeCall) => {
    calls.inc({ outcome: nameOf(call) });
    seconds.observe(call.ms / 1_000);
  };
  const dispatcher = createDispatcher({ database, log, config, count });
  metrics.gauge('webhook_endpoints_active', 'Endpoints of webhooks that are being called', () => dispatcher.active);
  return {
    topics: {
      'webhook.event': deliverToEndpoints,
      'webhook.disabled': (events) =>
        enqueueNotices(
          notices,
          events.map(({ orgId, payload }) => ({ orgId, ...payload })),
        ),
    },
    consumers: { [NOTICE_QUEUE]: (job: NoticeJob, signal, keep) => tellNextOwner(context, job, signal, keep) },
    loops: [
      every(WEBHOOK_EVERY_MS, 'webhooks', (stop) => dispatcher.run(stop)),
      every(WEBHOOK_NOTICE_SWEEP_EVERY_MS, 'webhook notice sweep', () => sweepNotices(context, notices)),
    ],
  };
}

function nameOf({ kind, status }: MadeCall): 'delivered' | 'gone' | 'refused' | 'unanswered' {
  if (kind !== 'failed') return kind;
  return status === null ? 'unanswered' : 'refused';
}
