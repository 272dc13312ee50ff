import type { WebSocket } from 'ws';
import { sendBounded } from '../../../src/socket/backpressure.ts';

/** Sends, unless too much waits already: then the client is cut off, and gets the rest when it comes back. */
export function send(socket: WebSocket, text: string): void {
  sendBounded(socket, text);
}
