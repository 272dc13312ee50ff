import type { RequestListener } from 'node:http';
import { pino } from 'pino';
import { createShutdown } from '../../../src/process/graceful-shutdown.ts';
import { createHttpServer } from '../../../src/process/http-server.ts';
import { closeServer } from '../../../src/process/listen.ts';
import type { Instance } from '../probing-balancer.ts';
import { LAME_DUCK_MS } from './case.ts';

/** Finishes what it has begun, and says that it will go while the door is still open. */
export function createInstance(answer: RequestListener): Instance {
  const shutdown = createShutdown(pino({ level: 'silent' }));
  const server = createHttpServer(shutdown.stopping, (request, response) => {
    if (request.url === '/readyz') response.writeHead(shutdown.stopping.aborted ? 503 : 200).end();
    else answer(request, response);
  });
  shutdown.onStop('http', () => closeServer(server));
  return { server, stop: () => shutdown.stop('replaced', LAME_DUCK_MS) };
}
