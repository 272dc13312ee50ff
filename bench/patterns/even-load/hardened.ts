import type { RequestListener, Server } from 'node:http';
import { endOldConnections } from '../../../src/http/connection-age.ts';
import { createHttpServer } from '../../../src/process/http-server.ts';
import { AGE_MS } from './case.ts';

/** Asks a connection that has lived for long enough to end with its next answer. */
export function createInstance(answer: RequestListener): Server {
  const server = createHttpServer(new AbortController().signal, answer);
  endOldConnections(server, AGE_MS);
  return server;
}
