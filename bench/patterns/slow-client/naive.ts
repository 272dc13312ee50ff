import { createServer, type RequestListener, type Server } from 'node:http';
import { fastify } from 'fastify';
import { REQUEST_MS, REQUESTS_IN_FLIGHT_MAX, UPLOAD_MS } from '../../../src/limits.ts';
import type { SignIn } from './case.ts';

/** Bounded in everything: requests in flight, time per request, bytes per body. A request counts from its headers on. */
export async function openServer(signIn: SignIn): Promise<Server> {
  const app = fastify({
    handlerTimeout: REQUEST_MS,
    serverFactory: (answer) => createServer({ requestTimeout: UPLOAD_MS }, limitInFlight(answer)),
  });
  app.post('/api/v1/sessions', { config: { public: true } }, async ({ body }) => signIn(body));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
}

function limitInFlight(answer: RequestListener): RequestListener {
  let inFlight = 0;
  return (request, response) => {
    if (inFlight >= REQUESTS_IN_FLIGHT_MAX) return void response.writeHead(503).end();
    inFlight++;
    response.once('close', () => inFlight--);
    answer(request, response);
  };
}
