import type { WebSocket } from 'ws';

/** Sends. What the client does not read waits in memory. */
export function send(socket: WebSocket, text: string): void {
  socket.send(text);
}
