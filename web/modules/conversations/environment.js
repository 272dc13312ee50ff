// What the client needs from where it runs, and what it takes where nothing is given, for instance in Node.

import { ticketUrl } from './protocol.js';

/** @import { KeptIn } from './kept-answers.js' */
/** @import { TicketAnswer } from './protocol.js' */

/**
 * @typedef {object} Environment
 * @property {(url: string, token: string, signal: AbortSignal) => Promise<TicketAnswer>} [requestTicket] rejects when
 *   there is no answer
 * @property {(url: string, protocols: string[]) => WebSocket} [openSocket]
 * @property {KeptIn | null} [storage] for answers that are to outlive the page
 * @property {(run: () => void, ms: number) => unknown} [startTimer]
 * @property {(timer: any) => void} [stopTimer]
 * @property {() => number} [random] from 0 to 1
 * @property {() => number} [now] ms since 1970
 * @property {() => string} [newNonce]
 * @property {(heard: { offline(): void, online(): void, back(): void }) => () => void} [watch] tells when the network
 *   goes and comes, and when the person does (`back`); returns how to stop watching
 */

/** @type {Required<Environment>} */
export const PLAIN = {
  requestTicket,
  openSocket: (url, protocols) => new WebSocket(url, protocols),
  storage: null,
  startTimer: (run, ms) => setTimeout(run, ms),
  stopTimer: (timer) => clearTimeout(timer),
  random: () => Math.random(),
  now: () => Date.now(),
  newNonce: createNonce,
  watch: () => () => undefined,
};

// The body is sent as text, so that a page of another origin needs no preflight; an address would be in logs.
async function requestTicket(url, token, signal) {
  const body = JSON.stringify({ token });
  const response = await fetch(ticketUrl(url), { method: 'POST', body, signal, referrerPolicy: 'no-referrer' });
  return response.json();
}

// crypto.randomUUID exists only on https and localhost; a small server may be reached by address on a local network.
function createNonce() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return hex.replace(/^(.{8})(.{3}).(.{3}).(.{3})(.*)$/, (_, a, b, c, d, e) => `${a}-${b}4-4${c}-8${d}-${e}`);
}
