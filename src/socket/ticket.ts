/**
 * What it is: somebody who is signed in gets a ticket over HTTPS and shows it as the first message of a socket.
 * What fails without it: sockets carry no session of another origin, and a session token in a URL or a page's script is a
 *   session that leaks. A ticket says one thing, for TICKET_MS, once.
 * How it works: the api signs what the holder may do; the process with the sockets checks the signature and the time,
 *   and redeems the ticket's id: in Redis, so that no other process takes it again. Without Redis each process remembers
 *   for itself, which leaves a stolen ticket one use on each of the other processes, within TICKET_MS.
 * What it costs: an HMAC, and a command to Redis. Its bound: TICKETS_REMEMBERED_MAX. Its proof: test/socket/ticket.test.ts.
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { TICKET_CHARS_MAX, TICKET_MS, TICKETS_REMEMBERED_MAX } from '../limits.ts';

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

export interface TicketDesk<T> {
  /** What the ticket grants; undefined for one that is not ours, is too old or was used before. */
  redeem(ticket: string): Promise<T | undefined>;
}

export interface TicketDeskOptions {
  readonly secretKey: string;
  readonly purpose: string;
  /** Remembers an id for a time; false when it was known already. */
  readonly remember: (id: string, ms: number) => Promise<boolean>;
}

export function createTicketDesk<T>({ secretKey, purpose, remember }: TicketDeskOptions): TicketDesk<T> {
  const redeemed = new LRUCache<string, true>({ max: TICKETS_REMEMBERED_MAX, ttl: TICKET_MS });
  return {
    async redeem(text) {
      const ticket = readTicket<T>(secretKey, purpose, text);
      if (ticket === undefined || ticket.until < Date.now() || redeemed.has(ticket.id)) return undefined;
      redeemed.set(ticket.id, true);
      const isFirst = await remember(ticket.id, TICKET_MS).catch(() => true);
      return isFirst ? ticket.grants : undefined;
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
