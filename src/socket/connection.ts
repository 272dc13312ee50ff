import type { Ticketing } from './ticket-exchange.ts';

/**
 * Close codes that our clients understand. 1012 and 1013 mean: reconnect, after the time in the reason (`retry after <ms>
 * ms`) and with jitter. 4003: the person who opened it is not signed in any more.
 */
export const CLOSE = {
  policy: 1008,
  restart: 1012,
  busy: 1013,
  linkNotValid: 4001,
  accessEnded: 4003,
  linkExpired: 4010,
} as const;

/** One client. Its messages are handled one at a time, in the order in which they arrive. */
export interface Connection<Grants = unknown> {
  /** What its ticket allows; undefined at an endpoint without tickets. */
  readonly grants: Grants;
  send(message: object): void;
  /** A message that is already serialised. To send one to many, see `broadcast`. */
  sendJson(json: Buffer): void;
  /** From then on nothing is handled or sent, and the socket ends within SOCKET_CLOSE_MS. */
  close(code: number, reason: string): void;
  /** Marks the client as identified; otherwise it is a stranger, with small limits, and closed after SOCKET_HELLO_MS. */
  welcomed(): void;
  /**
   * Limits how many connections there are per key, for example per link. False if there are `connectionsMax` already. A
   * connection has one key at a time.
   */
  join(key: string, connectionsMax: number): boolean;
}

export interface SocketHandler<Grants = unknown> {
  /**
   * An AppError about this message (`invalid`, `conflict`, …) is sent to the client. After `overloaded`, `rate_limited`
   * and any other error nothing else of this client is handled: it is told when to come back, and closed with 1013.
   */
  message(connection: Connection<Grants>, message: unknown): Promise<void>;
  /** Called once, when the socket has ended and its last message is handled. */
  closed(connection: Connection<Grants>): void;
}

export interface SocketEndpoint {
  /** The URL's path, for example `/chat`. */
  readonly path: string;
  readonly handler: SocketHandler;
  /** Then only clients with a ticket get in, and nobody with one waits for strangers. */
  readonly ticketing?: Ticketing;
  /** When the youngest other process was first heard of (performance.now()); clients that came earlier are moved. */
  readonly othersSince?: () => number;
}
