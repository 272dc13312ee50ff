/**
 * What it is: an upgrade that is refused gets an HTTP response, and its socket is destroyed.
 * What fails without it: Node takes its own error listener from a socket that asks for an upgrade, so a client that
 *   resets the connection before it has read the refusal ends the process; one that never closes its side keeps the
 *   socket half open, and its descriptor, for good.
 * How it works: an error listener first, then the response, then the socket is destroyed, at the latest at a deadline.
 * What it costs: a timer per refusal. Its bound: SOCKET_CLOSE_MS. Its proof: test/socket/refusal.test.ts.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SOCKET_CLOSE_MS } from '../limits.ts';

export interface Refusal {
  readonly status: number;
  readonly retryAfterSeconds?: number;
}

/** To be called first with the raw socket of every upgrade: errors are followed by `close`, which is enough to know. */
export function expectErrors(stream: Duplex): void {
  stream.on('error', () => undefined);
}

export function refuseUpgrade(stream: Duplex, { status, retryAfterSeconds }: Refusal): void {
  const retry = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`,
    () => stream.destroy(),
  );
  destroyLater(stream);
}

/** For a socket that is about to end by itself, if its client lets it. */
export function destroyLater(stream: Duplex): void {
  if (stream.destroyed) return;
  const timer = setTimeout(() => stream.destroy(), SOCKET_CLOSE_MS);
  stream.once('close', () => clearTimeout(timer));
}
