import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Work } from './case.ts';

/** Everybody is served, in the order of their coming. */
export async function openServer(work: Work): Promise<Server> {
  const server = createServer(async (_request, response) => {
    await work();
    response.writeHead(200).end('page');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
