/**
 * What it is: a client that does not read is disconnected before its unsent messages fill the memory.
 * What fails without it: the messages for clients that stop reading pile up in memory until the process is killed.
 * How it works: before each send, the unsent bytes plus this message are compared with the limit; above it the socket
 *   is terminated. Nothing is lost: the client reconnects with the last seq that it saw and gets the rest.
 * What it costs: one addition per message. Its bound: SOCKET_BUFFER_BYTES_MAX.
 * Its proof: test/socket/backpressure.test.ts.
 */
import type { WebSocket } from 'ws';
import { SOCKET_BUFFER_BYTES_MAX } from '../limits.ts';

/** Sends a text frame, or terminates the socket and returns false. */
export function sendBounded(
  socket: WebSocket,
  text: string | Buffer,
  bufferBytesMax = SOCKET_BUFFER_BYTES_MAX,
): boolean {
  const bytes = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
  if (socket.bufferedAmount + bytes > bufferBytesMax) {
    socket.terminate();
    return false;
  }
  socket.send(text, { binary: false });
  return true;
}
