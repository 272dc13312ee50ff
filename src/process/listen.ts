import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { StartError } from '../errors.ts';
import { CONNECTIONS_REFUSED_LOG_MS, DESCRIPTORS_RESERVED, DRAIN_MS } from '../limits.ts';
import type { Log } from '../log.ts';

/** Listens; throws an error that explains the problem if it cannot. */
export async function listen(
  server: Server,
  where: { host: string; port: number; variable: string },
  log: Log,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, where)));
    server.listen({ host: where.host, port: where.port }, resolve);
  });
  // Once it listens, an error must not end the process: open connections are still served.
  server.on('error', (error) => log.error({ err: error, port: where.port }, 'a connection could not be accepted'));
  boundConnections(server, log);
}

/**
 * Refuses connections while enough file descriptors are left for the database, Redis and files. Without that libuv
 * closes what it cannot accept, silently, and the process can open nothing else either.
 */
function boundConnections(server: Server, log: Log): void {
  server.maxConnections = Math.min(server.maxConnections || Number.POSITIVE_INFINITY, connectionsAllowed());
  let refused = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  server.on('drop', () => {
    refused++;
    if (performance.now() - loggedAt < CONNECTIONS_REFUSED_LOG_MS) return;
    log.warn(
      { refused, maxConnections: server.maxConnections },
      'connections are refused: as many as allowed are open',
    );
    refused = 0;
    loggedAt = performance.now();
  });
}

/** By the limit of open files; unlimited where the system does not say it as Linux does. */
function connectionsAllowed(): number {
  try {
    const [, files] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return files === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Number(files) - DESCRIPTORS_RESERVED);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
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
