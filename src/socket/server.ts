import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { createLogStorm } from '../flow/log-storm.ts';
import {
  DRAIN_MS,
  SOCKET_BUFFERED_CHUNKS_MAX,
  SOCKET_CLOSE_MS,
  SOCKET_CUT_OFF_COST,
  SOCKET_DRAIN_MS,
  SOCKET_DRAIN_PER_TICK_MIN,
  SOCKET_DRAIN_TICK_MS,
  SOCKET_FRAGMENTS_MAX,
  SOCKET_FRAME_BYTES_MAX,
  SOCKET_PONGS_PENDING_MAX,
} from '../limits.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../process/metrics.ts';
import { pathOf } from '../process/request-path.ts';
import type { AccessWatch } from './access-watch.ts';
import { TOO_MANY } from './admission.ts';
import { Client, type ClientServices } from './client.ts';
import type { SocketEndpoint } from './connection.ts';
import type { Door } from './door.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type RebalancingTiming, startRebalancing } from './rebalancing.ts';
import { createRefusals, destroyLater, expectErrors, type Refusal } from './refusal.ts';
import { returnAfterMs } from './retry-hint.ts';
import { TICKET_PROTOCOL, ticketOf } from './ticket.ts';

export interface SocketServerOptions {
  readonly server: Server;
  readonly endpoints: readonly SocketEndpoint[];
  readonly door: Door;
  readonly log: Log;
  readonly metrics: Metrics;
  /** For tickets that have a holder. */
  readonly access?: AccessWatch;
  readonly rebalancing?: RebalancingTiming;
}

export function createSocketServer(options: SocketServerOptions): { close(): Promise<void> } {
  const { server, door, log, metrics, access } = options;
  const { admission } = door;
  const endpoints = new Map(options.endpoints.map((endpoint) => [endpoint.path, endpoint]));
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: SOCKET_FRAME_BYTES_MAX,
    maxFragments: SOCKET_FRAGMENTS_MAX,
    maxBufferedChunks: SOCKET_BUFFERED_CHUNKS_MAX,
    // Which its types do not know yet.
    ...({ closeTimeout: SOCKET_CLOSE_MS, maxPendingAutoPongs: SOCKET_PONGS_PENDING_MAX } as object),
    perMessageDeflate: false, // its buffers fragment the memory of a nano until it is full
    clientTracking: false,
    // None but ours: a client that insists on another one must not believe that it got it.
    handleProtocols: (offered, request) =>
      offered.has(TICKET_PROTOCOL) && endpointOf(request)?.ticketing !== undefined && TICKET_PROTOCOL,
  });
  const heartbeat = startHeartbeat();
  const refuse = createRefusals();
  /** With what takes each out of the heartbeat; the oldest first. */
  const clients = new Map<Client, () => void>();
  const empty = Promise.withResolvers<void>();
  let isClosing = false;
  const moved = metrics.counter('sockets_moved', 'Clients that were told to connect again because of a new process');
  const othersSince = () =>
    Math.max(...options.endpoints.map((endpoint) => endpoint.othersSince?.() ?? Number.NEGATIVE_INFINITY));
  const stopRebalancing = startRebalancing(
    { [Symbol.iterator]: () => clients.keys() },
    othersSince,
    options.rebalancing,
  );
  const services: ClientServices = {
    ...{ log, moved },
    flooded({ place, endpoint: { ticketing }, grants }) {
      if (ticketing === undefined) place.fine(SOCKET_CUT_OFF_COST);
      else door.links.fine(ticketing.linkOf(grants), SOCKET_CUT_OFF_COST);
    },
    logFailure: createLogStorm((fields, text) => log.error(fields, text), 'socket message failed'),
    ended(client) {
      clients.get(client)?.();
      clients.delete(client);
      access?.remove(client);
      if (isClosing && clients.size === 0) empty.resolve();
    },
  };
  const refused = metrics.counter('sockets_refused', 'Upgrades to WebSocket that were refused');
  metrics.gauge('sockets', 'Open WebSocket connections', () => clients.size);
  metrics.gauge(
    'sockets_strangers',
    'WebSocket connections that have not said who they are',
    () => admission.strangers,
  );

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    expectErrors(stream);
    void upgrade(request, stream, head).then(
      (refusal) => {
        if (refusal === undefined) return;
        refused.inc();
        refuse(stream, refusal);
      },
      (error) => {
        services.logFailure(error);
        stream.destroy();
      },
    );
  });

  const endpointOf = (request: IncomingMessage) => endpoints.get(pathOf(request));

  async function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<Refusal | undefined> {
    const endpoint = endpointOf(request);
    if (endpoint === undefined) return { status: 404 };
    const refusal = door.refusalOf(request);
    if (refusal !== undefined) return refusal;
    const ticket = endpoint.ticketing?.desk.check(ticketOf(request) ?? '');
    const address = door.networkOf(request);
    if (endpoint.ticketing !== undefined) {
      if (ticket === undefined) return admission.knock(address) ?? NO_TICKET;
      if (door.links.owes(endpoint.ticketing.linkOf(ticket.grants))) return TOO_MANY;
    }

    let client: Client | undefined;
    const isKnown = ticket !== undefined;
    const place = admission.enter(address, () => client?.sendAway(), { isKnown });
    if ('status' in place) return place;
    const late = ticket === undefined || (await ticket.redeem()) ? door.refusalOf(request) : NO_TICKET;
    if (late !== undefined) {
      place.leave();
      return late;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      client = new Client(socket, stream, endpoint, ticket?.grants, place, services);
      clients.set(client, heartbeat.add(client));
      const holder = ticket && endpoint.ticketing?.holderOf?.(ticket.grants);
      if (holder !== undefined) access?.add(client, holder);
    });
    if (client !== undefined) return undefined;
    // Not a WebSocket after all: ws has answered.
    place.leave();
    destroyLater(stream);
    return undefined;
  }

  return {
    async close() {
      door.shut();
      heartbeat.stop();
      stopRebalancing();
      if (clients.size === 0) return;
      isClosing = true;
      const timer = setTimeout(() => {
        for (const client of clients.keys()) client.terminate();
      }, DRAIN_MS);
      await sendHome([...clients.keys()]);
      await empty.promise;
      clearTimeout(timer);
    },
  };
}

const NO_TICKET: Refusal = { status: 401 };

/** A few at a time: clients that are all sent away at once would all come back at once. */
async function sendHome(clients: readonly Client[]): Promise<void> {
  const ticks = SOCKET_DRAIN_MS / SOCKET_DRAIN_TICK_MS;
  const perTick = Math.max(SOCKET_DRAIN_PER_TICK_MIN, Math.ceil(clients.length / ticks));
  for (let from = 0; from < clients.length; from += perTick) {
    if (from > 0) await sleep(SOCKET_DRAIN_TICK_MS);
    for (const client of clients.slice(from, from + perTick)) void client.finish(returnAfterMs(clients.length));
  }
}
