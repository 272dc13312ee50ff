import { createServer, type RequestListener, type Server } from 'node:http';
import type { Instance } from '../probing-balancer.ts';

/** Closes the door, gives what is under way a moment, and goes. */
export function createInstance(answer: RequestListener): Instance {
  let isStopping = false;
  const server: Server = createServer((request, response) => {
    if (request.url === '/readyz') response.writeHead(isStopping ? 503 : 200).end();
    else answer(request, response);
  });
  return {
    server,
    async stop() {
      isStopping = true;
      const closed = new Promise((resolve) => server.close(resolve));
      setTimeout(() => server.closeAllConnections(), 200).unref();
      await closed;
    },
  };
}
