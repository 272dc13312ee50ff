import type { Metrics } from '../process/metrics.ts';
import type { App } from './app.ts';

/** By the pattern of the route, never by what people send: as many series as there are routes. */
const NO_ROUTE = 'none';
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counts answers by route and status, and how long they took by route. */
export interface RequestMetrics {
  /** All that the framework answers. */
  measure(app: App): void;
  /** One that was answered in front of the framework. */
  count(method: string | undefined, status: number): void;
}

export function createRequestMetrics(metrics: Metrics): RequestMetrics {
  const answers = metrics.labelledCounter('http_requests', 'Requests answered', ['method', 'route', 'status']);
  const seconds = metrics.histogram('http_request_seconds', 'From headers to the end of the answer', {
    labels: ['method', 'route'],
    buckets: SECONDS,
  });
  return {
    measure(app) {
      app.addHook('onResponse', (request, reply, done) => {
        const route = request.is404 ? NO_ROUTE : (request.routeOptions.url ?? NO_ROUTE);
        const method = nameOf(request.method);
        answers.inc({ method, route, status: reply.statusCode });
        seconds.observe({ method, route }, reply.elapsedTime / 1_000);
        done();
      });
    },
    count: (method = '', status) => answers.inc({ method: nameOf(method), route: NO_ROUTE, status }),
  };
}

function nameOf(method: string): string {
  return METHODS.includes(method) ? method : 'other';
}
