/**
 * What it is: whoever opens a socket shows a ticket with the upgrade, which they were given over HTTP a moment before.
 * What fails without it: a stranger and a person with a link look the same until the first message, so a limit on those
 *   who knock is a limit on people too; sockets carry no session of another origin; and a token that lasts, a session's or
 *   a link's, in a URL or a header is in somebody's log. A ticket says one thing, for TICKET_MS, once.
 * How it works: a process signs what the holder may do. The page offers it as a subprotocol (the only header that a
 *   browser lets a page choose, and one that proxies do not log), next to the protocol `ticket`, which is the one that the
 *   server answers with. The process that has the socket checks signature and time before it takes a place for it, and
 *   then redeems the ticket's id: in Redis, so that no other process takes it again. Without Redis each process remembers
 *   for itself, which leaves a stolen ticket one use on each of the other processes, within TICKET_MS.
 * What it costs: an HMAC, and a command to Redis, for which nobody waits longer than TICKET_SHARED_MS.
 * Its bound: TICKETS_REMEMBERED_MAX, TICKET_CHARS_MAX. Its proof: test/socket/ticket.test.ts.
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { TICKET_CHARS_MAX, TICKET_MS, TICKET_SHARED_MS, TICKETS_REMEMBERED_MAX } from '../limits.ts';
import { within } from '../within.ts';

/** What a client with a ticket offers first, and the server's choice. The second is this, a dot, and the ticket. */
export const TICKET_PROTOCOL = 'ticket';

/** Somebody signed in for whom a ticket was made, as they were then. */
export interface Holder {
  readonly orgId: number;
  readonly userId: number;
  readonly role: string;
  readonly sessionId?: number | undefined;
  /** The prefix of a key. */
  readonly apiKey?: string | undefined;
}

interface Ticket<T> {
  readonly id: string;
  readonly until: number;
  readonly grants: T;
}

/** `purpose` is signed too: a ticket for one thing does not work for another. */
export function createTicket<T>(secretKey: string, purpose: string, grants: T): string {
  const ticket: Ticket<T> = { id: randomUUID(), until: Date.now() + TICKET_MS, grants };
  const payload = Buffer.from(JSON.stringify(ticket)).toString('base64url');
  return `${payload}.${sign(secretKey, purpose, payload)}`;
}

/** The ticket that comes with an upgrade. */
export function ticketOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const prefix = `${TICKET_PROTOCOL}.`;
  return offered.find((protocol) => protocol.startsWith(prefix))?.slice(prefix.length);
}

export interface CheckedTicket<T> {
  readonly grants: T;
  /** Uses it up; false when another connection was faster. */
  redeem(): Promise<boolean>;
}

export interface TicketDesk<T> {
  create(grants: T): string;
  /** Undefined for one that is not ours, is too old or was used here before. */
  check(ticket: string): CheckedTicket<T> | undefined;
}

export interface TicketDeskOptions {
  readonly secretKey: string;
  readonly purpose: string;
  /** Remembers an id for a time, for all processes; false when it was known already. */
  readonly remember: (id: string, ms: number) => Promise<boolean>;
}

export function createTicketDesk<T>({ secretKey, purpose, remember }: TicketDeskOptions): TicketDesk<T> {
  const redeemed = new LRUCache<string, true>({ max: TICKETS_REMEMBERED_MAX, ttl: TICKET_MS });

  async function redeem(id: string): Promise<boolean> {
    if (redeemed.has(id)) return false;
    redeemed.set(id, true);
    // A Redis that does not answer is as good as none.
    return (await within(TICKET_SHARED_MS, remember(id, TICKET_MS)).catch(() => undefined)) ?? true;
  }

  return {
    create: (grants) => createTicket(secretKey, purpose, grants),
    check(text) {
      const ticket = readTicket<T>(secretKey, purpose, text);
      if (ticket === undefined || ticket.until < Date.now() || redeemed.has(ticket.id)) return undefined;
      return { grants: ticket.grants, redeem: () => redeem(ticket.id) };
    },
  };
}

function readTicket<T>(secretKey: string, purpose: string, text: string): Ticket<T> | undefined {
  const [payload = '', signature = '', more] = text.length > TICKET_CHARS_MAX ? [] : text.split('.');
  const expected = Buffer.from(sign(secretKey, purpose, payload));
  const given = Buffer.from(signature);
  if (more !== undefined || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Ticket<T>;
}

function sign(secretKey: string, purpose: string, payload: string): string {
  return createHmac('sha256', secretKey).update(`ticket\0${purpose}\0${payload}`).digest('base64url');
}
