import type { Server } from 'node:http';
import { StartError } from '../errors.ts';
import { DRAIN_MS } from '../limits.ts';

/** Listens; throws an error that explains the problem if it cannot. */
export async function listen(server: Server, where: { host: string; port: number; variable: string }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, where)));
    server.listen({ host: where.host, port: where.port }, resolve);
  });
}

/** What a listening server's error means and what to do about it. */
export function explain(error: NodeJS.ErrnoException, where: { host: string; port: number; variable: string }): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(
        `Port ${where.port} on ${where.host} is taken by another program. Stop that one, or set ${where.variable} to a free port.`,
      );
    case 'EACCES':
      return new StartError(
        `Port ${where.port} needs privileges that this user does not have. Set ${where.variable} to a port above 1023.`,
      );
    case 'EADDRNOTAVAIL':
      return new StartError(
        `This machine has no address ${where.host}. Set HOST to one of its own, for example 127.0.0.1 or 0.0.0.0.`,
      );
    default:
      return error;
  }
}

/** Accepts no new connections, lets requests in flight finish, and closes any that are left after DRAIN_MS. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}
