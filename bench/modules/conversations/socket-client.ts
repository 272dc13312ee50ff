/**
 * One employee in one check-in: the page's own client (web/modules/conversations/connection.js) in Node, with times that
 * count from when something was due, and words that can be found again.
 */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { type ClientOptions, WebSocket } from 'ws';
import { connectConversation } from '../../../web/modules/conversations/connection.js';
import type { Environment } from '../../../web/modules/conversations/environment.js';
import {
  ACK_WAIT_MS,
  type AnswerContent,
  CHOICES,
  CLOSE,
  STABLE_AFTER_MS,
  type TicketAnswer,
  ticketUrl,
  WELCOME_WAIT_MS,
} from '../../../web/modules/conversations/protocol.js';
import type { Random } from '../../load/random.ts';

export interface AcknowledgedAnswer {
  readonly orgId: number;
  readonly reachOutId: number;
  readonly nonce: string;
  readonly seq: number;
  readonly body: string;
}

/** Times are intended ones, in ms since the start of the run. */
export interface ChatEvents {
  started(dueMs: number): void;
  welcomed(dueMs: number, first: boolean): void;
  /** The bot waits for an answer. */
  question(): void;
  acknowledged(dueMs: number, entry: AcknowledgedAnswer): void;
  /** The server would not take the answer, or the client was closed over it. */
  failed(dueMs: number, error: string): void;
  wrong(what: string): void;
  lost(): void;
  refused(): void;
  over(why: 'finished' | 'link' | 'given up'): void;
}

export interface ChatClient {
  /** Answers the question that waits; due now or a moment ago. False when an answer is still under way. */
  answer(dueMs: number): boolean;
  close(): void;
}

// biome-ignore format: a list to read over
const WORDS = ['It was a good week', 'Too many meetings, sadly', 'The team was great', 'I am tired', 'Happy with it', 'Nothing to add'];

/** How the clients of a generator behave: as the page's own one, or as one that obeys nothing. */
export interface Manners {
  readonly environment: Environment;
  /** In a row; then the client counts as never back. */
  readonly triesMax: number;
}

export function createChatClient(
  url: string,
  token: string,
  dueMs: number,
  { environment, triesMax }: Manners,
  random: Random,
  on: ChatEvents,
): ChatClient {
  const [orgId, reachOutId] = token.split('.').map((part) => Number.parseInt(part, 36)) as [number, number];
  let question: { readonly seq: number; readonly answer: 'text' | 'scale' } | null = null;
  let underWay: { readonly nonce: string; readonly body: string; readonly dueMs: number } | undefined;
  let greeted = false;
  let over = false;
  let answers = 0;
  let failures = 0;

  on.started(dueMs);
  const conversation = connectConversation({
    url: socketUrlOf(url),
    token,
    environment,
    on: {
      welcome() {
        failures = 0;
        on.welcomed(dueMs, !greeted);
        greeted = true;
      },
      waiting(next) {
        question = next;
        if (next !== null && !over) on.question();
      },
      delivered(nonce, seq) {
        if (underWay?.nonce !== nonce) return;
        const { body, dueMs: answerDue } = underWay;
        underWay = undefined;
        on.acknowledged(answerDue, { orgId, reachOutId, nonce, seq, body });
      },
      rejected(_nonce, _content, { code, message }) {
        if (code !== 'conflict') on.wrong(`an answer was refused: ${message}`);
        end('given up', code);
      },
      gap: ({ expected, got }) => on.wrong(`message ${got} of reach-out ${reachOutId} came after ${expected - 1}`),
      fault: (message) => on.wrong(`the chat says: ${message}`),
      finished: () => end('finished'),
      refused: () => end('link'),
      lost({ code, opened }) {
        if (!opened || code === CLOSE.busy) on.refused();
        else on.lost();
        if (++failures > triesMax) end('given up');
      },
    },
  });

  function end(why: 'finished' | 'link' | 'given up', error: string = why): void {
    if (over) return;
    over = true;
    conversation.close();
    if (underWay !== undefined) on.failed(underWay.dueMs, error);
    on.over(why);
  }

  return {
    answer(answerDue) {
      if (question === null || over) return false;
      const nonce = `${orgId}-${reachOutId}-${question.seq}-${(++answers).toString(36)}-${random.below(2 ** 31).toString(36)}`;
      const { content, body } = answerTo(question, nonce, random);
      underWay = { nonce, body, dueMs: answerDue };
      on.started(answerDue);
      conversation.seen();
      conversation.answer(content, nonce);
      return true;
    },
    close() {
      over = true;
      conversation.close();
    },
  };
}

/** With the nonce in the text: an answer that was stored twice is found by its words. */
function answerTo(question: { seq: number; answer: 'text' | 'scale' }, nonce: string, random: Random) {
  const questionSeq = question.seq;
  if (question.answer === 'scale') {
    const choice = random.pick(CHOICES) as number;
    return { content: { questionSeq, choice } satisfies AnswerContent, body: `${choice} of ${CHOICES.length}` };
  }
  const text = `${random.pick(WORDS)} (${nonce})`;
  return { content: { questionSeq, text } satisfies AnswerContent, body: text };
}

/** Of the chat at an http: or ws: address. */
export function socketUrlOf(url: string): string {
  return `${url.replace(/^http/, 'ws').replace(/\/$/, '')}/chat`;
}

/** From this machine's address, or from one of several loopback addresses in turn: many people are not behind one. */
export function createNetwork(addresses: readonly string[] = []): Pick<Environment, 'openSocket' | 'requestTicket'> {
  let turn = 0;
  const from = () => {
    const localAddress = addresses[turn++ % addresses.length];
    return localAddress === undefined ? {} : { localAddress };
  };
  if (addresses.length === 0) return { openSocket: (url, protocols) => open(url, protocols, {}) };
  return {
    openSocket: (url, protocols) => open(url, protocols, from()),
    requestTicket: (url, token, signal) => requestTicket(url, token, signal, from()),
  };
}

/** As the page does it, from an address of one's choice. */
export async function requestTicket(
  url: string,
  token: string,
  signal: AbortSignal,
  from: { localAddress?: string },
): Promise<TicketAnswer> {
  const asked = request(ticketUrl(url), { method: 'POST', signal, ...from });
  asked.end(JSON.stringify({ token }));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return (await json(response)) as TicketAnswer;
}

function open(url: string, protocols: string[], from: ClientOptions): globalThis.WebSocket {
  const options = { perMessageDeflate: false, handshakeTimeout: WELCOME_WAIT_MS, ...from };
  return new WebSocket(url, protocols, options) as unknown as globalThis.WebSocket;
}

export function politeManners(random: Random, addresses?: readonly string[]): Manners {
  return { environment: { ...createNetwork(addresses), random: random.next }, triesMax: 50 };
}

/**
 * What is left of the page's client when its manners are taken away: it is back RUDE_RETRY_MS after each loss and each
 * refusal, whatever the server asked for. It still waits as long as the page does for a welcome or an acknowledgement.
 */
export function rudeManners(random: Random, addresses?: readonly string[], startTimer = startPlainTimer): Manners {
  return {
    environment: {
      ...politeManners(random, addresses).environment,
      startTimer: (run, ms) => startTimer(run, ANSWER_WAITS_MS.has(ms) ? ms : RUDE_RETRY_MS),
    },
    triesMax: Number.POSITIVE_INFINITY,
  };
}

const startPlainTimer = (run: () => void, ms: number): unknown => setTimeout(run, ms);
const ANSWER_WAITS_MS = new Set<number>([WELCOME_WAIT_MS, ACK_WAIT_MS, STABLE_AFTER_MS]);
const RUDE_RETRY_MS = 100;
