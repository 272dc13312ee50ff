import type { Server } from 'node:http';
import { fastify } from 'fastify';
import { pino } from 'pino';
import type { App } from '../../../src/http/app.ts';
import { createAdmission } from '../../../src/http/load-shedding.ts';
import { createRefusals } from '../../../src/http/problem-details.ts';
import { createRequestMetrics } from '../../../src/http/request-metrics.ts';
import { limitSlowBodies } from '../../../src/http/slow-client.ts';
import { REQUEST_MS, UPLOAD_MS } from '../../../src/limits.ts';
import { createHttpServer } from '../../../src/process/http-server.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import type { SignIn } from './case.ts';

const NEVER = new AbortController().signal;

/** As many in flight, but a request counts when all of it is here, and a body has a short time of its own. */
export async function openServer(signIn: SignIn): Promise<Server> {
  const metrics = createMetrics('api');
  const log = pino({ level: 'silent' });
  const admission = createAdmission({
    createRefusal: createRefusals({}, createRequestMetrics(metrics)),
    metrics,
    log,
    organisationOf: () => undefined,
    networkOf: () => '',
  });
  const app = fastify({
    handlerTimeout: REQUEST_MS,
    serverFactory: (answer) => createHttpServer(NEVER, admission.guard(answer), { requestMs: UPLOAD_MS }),
  });
  limitSlowBodies(app as unknown as App, metrics, admission);
  admission.watch(app as unknown as App);
  app.post('/api/v1/sessions', { config: { public: true } }, async ({ body }) => signIn(body));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
}
