/**
 * What it is: a connection that has lived for long enough is asked to end with its next answer.
 * What fails without it: balancers that distribute connections, not requests, leave a new instance idle: clients keep
 *   the connections that they have, and those lead to the old ones, which stay as overloaded as before.
 * How it works: each connection draws its age from CONNECTION_AGE_MS. The first answer after it says
 *   `connection: close`; the client opens another one, and the balancer chooses for it. Nothing is cut: a connection
 *   without requests is left to the keep-alive timeout. The range keeps clients that came together from coming back
 *   together.
 * What it costs: one TCP handshake per connection and CONNECTION_AGE_MS. Its bound: CONNECTION_AGE_MS.
 * Its proof: test/http/connection-age.test.ts, bench/patterns/even-load; scenario even-load.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { CONNECTION_AGE_MS } from '../limits.ts';

/** Of all connections that the server accepts from now on. */
export function endOldConnections(server: Server, ageMs = CONNECTION_AGE_MS): void {
  const endsAt = new WeakMap<Socket, number>();
  server.on('connection', (socket: Socket) => {
    endsAt.set(socket, performance.now() + ageMs.min + Math.random() * (ageMs.max - ageMs.min));
  });
  // Before the server's own listener, which may have sent the head of the answer when it returns.
  server.prependListener('request', ({ socket }, response) => {
    if (performance.now() > (endsAt.get(socket) ?? Number.POSITIVE_INFINITY)) response.setHeader('connection', 'close');
  });
}
