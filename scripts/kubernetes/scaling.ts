import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { LISTENING_PROCESSES, type ListeningProcess } from '../../src/processes.ts';
import { REQUESTS_PER_API, type Size, SOCKETS_PER_CHAT } from './sizes.ts';
import { labels } from './workers.ts';

/** What an instance is full of, before its CPU is: metrics that the adapter takes from Prometheus. */
const LOAD: Readonly<Partial<Record<ListeningProcess, { readonly metric: string; readonly each: number }>>> = {
  api: { metric: 'tardigrade_requests_in_flight', each: REQUESTS_PER_API },
  chat: { metric: 'tardigrade_sockets', each: SOCKETS_PER_CHAT },
};

const CPU_PERCENT = 60; // of the request: a burst of sign-ins must find room

/** Adds at once, and takes away slowly: each instance that goes sends its people to the others. */
export function autoscalers({ instances }: Size): IHorizontalPodAutoscaler[] {
  return LISTENING_PROCESSES.map((name) => {
    const load = LOAD[name];
    return {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name, labels: labels(name) },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        minReplicas: instances[name].min,
        maxReplicas: instances[name].max,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: CPU_PERCENT } },
          },
          ...(load === undefined
            ? []
            : [
                {
                  type: 'Pods',
                  pods: {
                    metric: { name: load.metric },
                    target: { type: 'AverageValue', averageValue: String(load.each) },
                  },
                },
              ]),
        ],
        behavior: {
          scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 100, periodSeconds: 30 }] },
          scaleDown: { stabilizationWindowSeconds: 300, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
        },
      },
    };
  });
}

/** For the Prometheus adapter (its `rules.custom`): the metrics above, by pod. */
export function adapterRules(): object {
  return {
    rules: {
      custom: Object.values(LOAD).map(({ metric }) => ({
        seriesQuery: `${metric}{namespace!="",pod!=""}`,
        resources: { overrides: { namespace: { resource: 'namespace' }, pod: { resource: 'pod' } } },
        name: { matches: metric, as: metric },
        metricsQuery: 'avg_over_time(<<.Series>>{<<.LabelMatchers>>}[1m])',
      })),
    },
  };
}
