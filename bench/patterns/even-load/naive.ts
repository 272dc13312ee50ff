import type { RequestListener, Server } from 'node:http';
import { createHttpServer } from '../../../src/process/http-server.ts';

/** Keeps a connection for as long as its client wants it. */
export function createInstance(answer: RequestListener): Server {
  return createHttpServer(new AbortController().signal, answer);
}
