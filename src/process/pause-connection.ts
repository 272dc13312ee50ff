import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** A request's, or any other stream where there is no connection behind it. */
export type Body = Readable & { readonly socket?: Socket };

/**
 * Nothing more is read from a body's connection until its socket is resumed. Pausing the body alone lets 64 KB more be
 * parsed, which are 65,536 pieces in chunks of one byte; and one that is read asks for more by itself, as long as it can.
 */
export function pauseConnection(body: Body): void {
  if (body.socket === undefined) return;
  body._read = () => undefined;
  body.socket.pause();
}
