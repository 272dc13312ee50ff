/**
 * What it is: when a process has been added, the others tell their clients, one after the other, to connect again.
 * What fails without it: a WebSocket lives for hours, and a balancer distributes connections once. A new process stays
 *   idle, and the old ones as overloaded as before, until people happen to come back.
 * How it works: as connection-age does for HTTP, but a socket is old only when it is older than the youngest other
 *   process, because a move costs a handshake and a read of the database. A while after that one was first heard of, when
 *   the balancers have seen it too, clients that came earlier are sent away with 1012 and a short wait, evenly over
 *   SOCKET_MOVES_MS, those that came first first. One whose message is being handled has its turn later. Our client is back
 *   before anybody notices, wherever the balancer leads it, and is not moved again.
 * What it costs: one reconnect for each client and each process that is added. Its bound: SOCKET_MOVES_MS; no more moves
 *   in a second than SOCKETS_MAX allows for. Without Redis nobody hears of the new process, and nobody moves.
 * Its proof: test/socket/rebalancing.test.ts.
 */
import { SOCKET_MOVES_AFTER_MS, SOCKET_MOVES_MS, SOCKET_MOVES_TICK_MS } from '../limits.ts';

export interface Movable {
  readonly cameAt: number;
  readonly isIdle: boolean;
  /** It shall connect again; its client is one of so many. */
  move(clients: number): void;
}

export interface RebalancingTiming {
  readonly afterMs: number;
  readonly overMs: number;
  readonly tickMs: number;
}

const TIMING: RebalancingTiming = {
  afterMs: SOCKET_MOVES_AFTER_MS,
  overMs: SOCKET_MOVES_MS,
  tickMs: SOCKET_MOVES_TICK_MS,
};

/**
 * `clients`: those that came first first. `othersSince`: when the youngest other process was first heard of, as
 * performance.now() tells it. Returns what stops it.
 */
export function startRebalancing(
  clients: Iterable<Movable>,
  othersSince: () => number,
  timing: RebalancingTiming = TIMING,
): () => void {
  let doneSince = Number.NEGATIVE_INFINITY;

  function moveSome(): void {
    const since = othersSince();
    const begunMs = performance.now() - since - timing.afterMs;
    if (since === doneSince || begunMs < 0) return;
    const older = olderThan(since, clients);
    if (older.length === 0) doneSince = since;
    const ticksLeft = Math.max(1, (timing.overMs - begunMs) / timing.tickMs);
    const some = older.filter(({ isIdle }) => isIdle).slice(0, Math.ceil(older.length / ticksLeft));
    for (const client of some) client.move(some.length);
  }

  const timer = setInterval(moveSome, timing.tickMs).unref();
  return () => clearInterval(timer);
}

function olderThan(since: number, clients: Iterable<Movable>): Movable[] {
  const older: Movable[] = [];
  for (const client of clients) {
    if (client.cameAt >= since) break;
    older.push(client);
  }
  return older;
}
