import type {
  IPodMonitor,
  IPrometheusRule,
  IServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { parse } from 'yaml';
import { LISTENING_PROCESSES } from '../../src/processes.ts';
import { labels } from './workers.ts';

/** For the Prometheus operator: who is asked. */
export function monitor(): IServiceMonitor {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { name: 'tardigrade', labels: labels('tardigrade') },
    spec: {
      selector: {
        matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: [...LISTENING_PROCESSES] }],
      },
      endpoints: [
        {
          port: 'http',
          path: '/metrics',
          interval: '15s',
          // The rules and dashboards know one job.
          relabelings: [{ targetLabel: 'job', replacement: 'tardigrade' }],
        },
      ],
    },
  };
}

/** Also PostgreSQL and PgBouncer: the operator labels the pods of both, and names the port of both so. */
export function postgresMonitor(): IPodMonitor {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name: 'postgres', labels: labels('postgres') },
    spec: {
      selector: { matchLabels: { 'cnpg.io/cluster': 'postgres' } },
      podMetricsEndpoints: [{ port: 'metrics' }],
    },
  };
}

/** And the same rules as everywhere else. */
export function rules(module: string, text: string): IPrometheusRule {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: `tardigrade-${module}`, labels: labels('tardigrade') },
    spec: parse(text) as IPrometheusRule['spec'],
  };
}
