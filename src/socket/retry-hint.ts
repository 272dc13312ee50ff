/**
 * What it is: the server says when a client shall come back, and says a different time to each.
 * What fails without it: all clients that were sent away at the same moment are back at the same moment, and are sent away
 *   again.
 * How it works: the hint is in the error (`retryAfterMs`) and in the reason of the close, drawn from a range that grows
 *   with the number of clients that are sent away. Our client waits for as long, and adds its own jitter.
 * What it costs: the wait. Its bound: the range. Its proof: test/socket/server.test.ts.
 */
import { RETRY_AFTER_SECONDS, SOCKET_RETURNS_PER_SECOND } from '../limits.ts';

/** After a single refusal: RETRY_AFTER_SECONDS, or the given time, up to twice as long. */
export function retryAfterMs(seconds = RETRY_AFTER_SECONDS, random = Math.random): number {
  return Math.round(seconds * 1_000 * (1 + random()));
}

/** For one of `clients` that are all sent away at about the same time. */
export function returnAfterMs(clients: number, random = Math.random): number {
  return Math.round(200 + random() * (clients / SOCKET_RETURNS_PER_SECOND) * 1_000);
}

/** The reason of a close with 1012 or 1013. Our client reads the number. */
export function retryReason(ms: number): string {
  return `retry after ${ms} ms`;
}
