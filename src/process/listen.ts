import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../errors.ts';
import {
  CONNECTIONS_REFUSED_LOG_MS,
  DESCRIPTORS_RESERVED,
  DRAIN_MS,
  QUIET_MOMENT_MS,
  UNUSED_CONNECTION_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import { closeUnused, holdRequests } from './http-server.ts';

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
  const own = server.maxConnections || Number.POSITIVE_INFINITY;
  const share = () => {
    server.maxConnections = Math.min(own, Math.max(1, Math.floor(connectionsAllowed() / listening.size)));
  };
  listening.set(server, share);
  server.once('close', () => listening.delete(server));
  for (const shareAgain of listening.values()) shareAgain();
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

/** The servers of this process, which share its open files (`all` has two), and what gives each its share. */
const listening = new Map<Server, () => void>();

/** By the limit of open files; unlimited where the system does not say it as Linux does. */
function connectionsAllowed(): number {
  try {
    const [, files] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return files === undefined ? Number.POSITIVE_INFINITY : Number(files) - DESCRIPTORS_RESERVED;
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
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartError(
        `This machine has no address ${where.host}. Set HOST to one of its own, for example 127.0.0.1 or 0.0.0.0.`,
      );
    default:
      return error;
  }
}

/**
 * Accepts no new connections, lets requests in flight finish, and closes any that are left after DRAIN_MS. By then every
 * connection in use was told to close with its last answer (src/process/http-server.ts).
 */
export async function closeServer(server: Server): Promise<void> {
  const serveHeld = holdRequests(server);
  await quietMoment(server);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  serveHeld();
  const timers = [
    setTimeout(() => closeUnused(server), UNUSED_CONNECTION_MS),
    setTimeout(() => server.closeAllConnections(), DRAIN_MS),
  ];
  await closed;
  for (const timer of timers) clearTimeout(timer);
}

/**
 * Connections that the kernel has taken and we have not are reset when the door closes. Clients that ask without a pause
 * would always have one there: their requests are held for a moment, so that all of them wait for an answer, not at the
 * door.
 */
async function quietMoment(server: Server): Promise<void> {
  const deadline = performance.now() + QUIET_MOMENT_MS.max;
  let came = true;
  const notice = () => {
    came = true;
  };
  server.on('connection', notice);
  while (came && performance.now() < deadline) {
    came = false;
    await sleep(QUIET_MOMENT_MS.min);
    // On a busy machine the time can pass without a turn of the event loop that accepts: this is one.
    await new Promise((resolve) => setImmediate(resolve));
  }
  server.off('connection', notice);
}
