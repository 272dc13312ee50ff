import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Health } from './health-check.ts';
import { createHttpServer } from './http-server.ts';
import type { Metrics } from './metrics.ts';
import { pathOf } from './request-path.ts';

export interface HealthAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export const HEALTH_PATHS = ['/livez', '/readyz', '/startedz', '/metrics'] as const;

/**
 * Answers /livez, /readyz, /startedz and /metrics the same way in every process; undefined for any other path.
 * What a process says of itself is only for clients that reach it directly. To a request that came through a proxy,
 * /metrics is a 404, and /readyz says whether, not why: reasons name servers and their addresses.
 */
export async function answerHealth(
  request: { path: string; headers: IncomingMessage['headers'] },
  health: Health,
  metrics: Metrics,
): Promise<HealthAnswer | undefined> {
  switch (request.path) {
    case '/livez':
      return { status: 200, type: 'text/plain', body: 'ok\n' };
    case '/readyz': {
      const { checks, ...readiness } = await health.readiness();
      return {
        status: readiness.ready ? 200 : 503,
        type: 'application/json',
        body: `${JSON.stringify(isProxied(request) ? readiness : { ...readiness, checks })}\n`,
      };
    }
    case '/startedz': {
      const started = await health.hasStarted();
      return { status: started ? 200 : 503, type: 'text/plain', body: started ? 'ok\n' : 'not ready yet\n' };
    }
    case '/metrics':
      if (isProxied(request)) return undefined;
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: await metrics.text() };
    default:
      return undefined;
  }
}

function isProxied({ headers }: { headers: IncomingMessage['headers'] }): boolean {
  return headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
}

/** The whole HTTP side of a process that serves nothing else: node:http, because a framework would cost 20 MB here. */
export function createHealthServer(health: Health, metrics: Metrics): Server {
  return createHttpServer(health.stopping, (request, response) => void respond(request, response, health, metrics));
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  health: Health,
  metrics: Metrics,
): Promise<void> {
  const answer = await answerHealth({ path: pathOf(request), headers: request.headers }, health, metrics);
  const { status, type, body } = answer ?? { status: 404, type: 'text/plain', body: 'not found\n' };
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
