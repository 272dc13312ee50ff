/**
 * What it is: `POST <path>/ticket` with `{ "token" }`, the secret of a link, answers with a ticket for one socket.
 * What fails without it: the link's token is what a socket is opened with, again and again; a refusal reaches a browser as
 *   a connection that failed, without a reason; and who knocks too often is told so after the server has paid for it.
 * How it works: the token is in the body, so no log of requests has it. Checking it takes an HMAC and nothing else. Who
 *   has a token that is ours is held to a rate per link and one per address; everybody else to the rate of strangers, so
 *   they use up nobody's tickets but each other's. When there would be no place anyway, it is said here already. A refusal
 *   is the error that the socket would have sent, with `retryAfterMs`, and Retry-After for those who read no body. One that
 *   says "too often" is held back, as in refusal. A link whose socket was cut off for flooding waits until it has paid
 *   for that: the limits of a socket would mean nothing if the next socket began anew.
 * What it costs: one small request more for each connection.
 * Its bound: TICKET_BODY_BYTES_MAX, BODY_MS; TICKETS_PER_LINK, TICKETS_TURNOVER_SECONDS; SOCKET_REFUSALS_HELD_MAX.
 * Its proof: test/socket/ticket-exchange.test.ts.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, ERROR_STATUS, overloaded } from '../errors.ts';
import {
  BODY_MS,
  RETRY_AFTER_SECONDS,
  SOCKET_CLOSE_MS,
  SOCKET_REFUSALS_HELD_MAX,
  TICKET_BODY_BYTES_MAX,
} from '../limits.ts';
import type { Door } from './door.ts';
import { parseMessage } from './message.ts';
import type { Refusal } from './refusal.ts';
import { retryAfterMs } from './retry-hint.ts';
import type { Holder, TicketDesk } from './ticket.ts';

/** Of an endpoint whose sockets need a ticket. */
// biome-ignore lint/suspicious/noExplicitAny: each endpoint has grants of its own, and only its handler reads them
export interface Ticketing<T = any> {
  readonly desk: TicketDesk<T>;
  /** What the token of a link allows. Throws `not_found` for one that is not ours. */
  grantsOf(token: string): T;
  /** Names the link: what comes by it too often is not held against the others. */
  linkOf(grants: T): string;
  /** Of a ticket that was given to somebody signed in: its sockets end with that person's access. */
  holderOf?(grants: T): Holder | undefined;
}

export interface ExchangeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type TicketExchange = (request: IncomingMessage) => Promise<ExchangeAnswer>;

/** By path, for the endpoints that have tickets. */
export function createTicketExchanges(
  endpoints: readonly { readonly path: string; readonly ticketing?: Ticketing }[],
  door: Door,
): Record<string, TicketExchange> {
  const exchanges = endpoints.flatMap(({ path, ticketing }) =>
    ticketing === undefined ? [] : [[`${path}/ticket`, createTicketExchange(ticketing, door)] as const],
  );
  return Object.fromEntries(exchanges);
}

function createTicketExchange(ticketing: Ticketing, door: Door): TicketExchange {
  const { admission } = door;
  let held = 0;

  async function exchange(request: IncomingMessage): Promise<string> {
    throwIf(door.refusalOf(request));
    const address = door.networkOf(request);
    try {
      const token = tokenIn(await readBody(request));
      const grants = ticketing.grantsOf(token);
      throwIf(admission.refusalOf(address));
      if (!door.links.spend(ticketing.linkOf(grants))) throw TOO_OFTEN();
      throwIf(admission.admit(address));
      return ticketing.desk.create(grants);
    } catch (error) {
      const refusal = isOfStranger(error) && admission.knock(address) !== undefined ? TOO_OFTEN() : error;
      if (isTooOften(refusal)) await holdBack();
      throw refusal;
    }
  }

  async function holdBack(): Promise<void> {
    if (held >= SOCKET_REFUSALS_HELD_MAX) return;
    held++;
    await sleep(SOCKET_CLOSE_MS);
    held--;
  }

  return async (request) => {
    const { origin } = request.headers;
    // A page of another origin that may open sockets here must be able to read the answer.
    const isRead = origin !== undefined && door.refusalOf(request)?.status !== 403;
    const readers: Record<string, string> = isRead ? { 'access-control-allow-origin': origin } : {};
    const headers: ExchangeAnswer['headers'] = { ...HEADERS, ...readers };
    try {
      return { status: 200, headers, body: json({ ticket: await exchange(request) }) };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return refuse(error, headers);
    }
  };
}

/** The connection ends, because the next one will be a socket and each open one costs a descriptor. */
const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  vary: 'origin',
  connection: 'close',
} as const;

function refuse({ code, message, retryAfterSeconds }: AppError, headers: ExchangeAnswer['headers']): ExchangeAnswer {
  const status = ERROR_STATUS[code];
  if (retryAfterSeconds === undefined) return { status, headers, body: json({ type: 'error', code, message }) };
  const retryMs = retryAfterMs(retryAfterSeconds);
  return {
    status,
    headers: { ...headers, 'retry-after': String(Math.ceil(retryMs / 1_000)) },
    body: json({ type: 'error', code, message, retryAfterMs: retryMs }),
  };
}

const TOO_OFTEN = () =>
  new AppError('rate_limited', 'Too many connections from here. Try again in a moment.', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

function throwIf(refusal: Refusal | undefined): void {
  if (refusal === undefined) return;
  if (refusal.status === 403) throw new AppError('forbidden', 'This page cannot open a connection here.');
  throw refusal.status === 429 ? TOO_OFTEN() : overloaded('people');
}

function isOfStranger(error: unknown): boolean {
  return error instanceof AppError && error.retryAfterSeconds === undefined;
}

function isTooOften(error: unknown): boolean {
  return error instanceof AppError && error.code === 'rate_limited';
}

function tokenIn(body: string): string {
  const token = (parseMessage(body) as { token?: unknown } | null)?.token;
  if (typeof token !== 'string') throw new AppError('invalid', 'Send {"token"}: what the link ends with.');
  return token;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const timer = setTimeout(() => request.destroy(), BODY_MS);
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // What was not read yet is left to the server, which must still be able to answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > TICKET_BODY_BYTES_MAX) throw new AppError('too_large', 'This is not the token of a link.');
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString();
  } finally {
    clearTimeout(timer);
  }
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
