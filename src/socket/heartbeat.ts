/**
 * What it is: each socket is pinged every SOCKET_PING_MS, and terminated if nothing was heard from it since the last time.
 * What fails without it: clients that disappeared without a word (a closed laptop, a lost network) hold their places for
 *   hours; and when all sockets are pinged in one turn, 10,000 of them stall the event loop for 185 ms.
 * How it works: sockets are dealt out to slots, and each tick visits one slot. Any bytes from the client are a sign of
 *   life.
 * What it costs: one frame per socket and period. Its bound: SOCKETS_MAX * SOCKET_PING_TICK_MS / SOCKET_PING_MS sockets
 *   per tick. Its proof: test/socket/heartbeat.test.ts.
 */
import { SOCKET_PING_MS, SOCKET_PING_TICK_MS } from '../limits.ts';

export interface Pinged {
  /** Whether anything was heard since the last call. */
  wasHeard(): boolean;
  ping(): void;
  terminate(): void;
}

export interface Heartbeat {
  /** Returns a function that removes it. */
  add(socket: Pinged): () => void;
  stop(): void;
}

export function startHeartbeat(): Heartbeat {
  const slots = Array.from({ length: SOCKET_PING_MS / SOCKET_PING_TICK_MS }, () => new Set<Pinged>());
  let dealt = 0;
  let tick = 0;
  const timer = setInterval(() => {
    for (const socket of slots[tick++ % slots.length] as Set<Pinged>) {
      if (socket.wasHeard()) socket.ping();
      else socket.terminate();
    }
  }, SOCKET_PING_TICK_MS).unref();
  return {
    add(socket) {
      const slot = slots[dealt++ % slots.length] as Set<Pinged>;
      slot.add(socket);
      return () => void slot.delete(socket);
    },
    stop: () => clearInterval(timer),
  };
}
