/**
 * What it is: an upgrade that is refused gets an HTTP response, and its socket is destroyed.
 * What fails without it: Node takes its own error listener from a socket that asks for an upgrade, so a client that
 *   resets the connection before it has read the refusal ends the process; one that never closes its side keeps the
 *   socket half open, and its descriptor, for good.
 * How it works: an error listener first, then the response, then the socket is destroyed, at the latest at a deadline.
 *   An address that asks too often waits for its refusal, because most of those programs ask again as soon as they have
 *   it: 200 of them would take a core with nothing but refusals.
 * What it costs: a timer per refusal. Its bound: SOCKET_CLOSE_MS, SOCKET_REFUSALS_HELD_MAX.
 * Its proof: test/socket/refusal.test.ts.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SOCKET_CLOSE_MS, SOCKET_REFUSALS_HELD_MAX } from '../limits.ts';

export interface Refusal {
  readonly status: number;
  readonly retryAfterSeconds?: number;
}

/** To be called first with the raw socket of every upgrade: errors are followed by `close`, which is enough to know. */
export function expectErrors(stream: Duplex): void {
  stream.on('error', () => undefined);
}

export function createRefusals(): (stream: Duplex, refusal: Refusal) => void {
  let held = 0;
  return (stream, refusal) => {
    if (refusal.status !== 429 || held >= SOCKET_REFUSALS_HELD_MAX) return refuseUpgrade(stream, refusal);
    held++;
    stream.pause(); // not read meanwhile
    const timer = setTimeout(() => refuseUpgrade(stream, refusal), SOCKET_CLOSE_MS);
    stream.once('close', () => {
      held--;
      clearTimeout(timer);
    });
  };
}

function refuseUpgrade(stream: Duplex, { status, retryAfterSeconds }: Refusal): void {
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
