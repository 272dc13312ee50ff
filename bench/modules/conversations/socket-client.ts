/**
 * One employee in one check-in: the rules of web/chat/connection.js, without its page. It comes back after a lost
 * connection with full jitter, says the last seq that it has, and sends an unacknowledged answer again under its nonce.
 */
import { WebSocket } from 'ws';
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

interface Frame {
  readonly type: 'welcome' | 'message' | 'ack' | 'finished' | 'error';
  readonly messages: readonly Message[];
  readonly finished: boolean;
  readonly nonce: string;
  readonly seq: number;
  readonly sender: string;
  readonly body: string;
  /** Of a question: what answers it. */
  readonly answer?: 'text' | 'scale';
  readonly waitingFor: number | null;
  readonly code: string;
  readonly message: string;
}

type Message = Pick<Frame, 'seq' | 'sender' | 'body' | 'answer'>;

const HELLO_MS = 15_000;
const ACK_MS = 10_000; // longer, and the connection is presumed dead, as the page presumes
const SOCKET_BACKOFF_MS = { base: 500, max: 15_000 } as const; // those of web/chat/connection.js
const SOCKET_TRIES_MAX = 50; // then the client counts as never back

const LINK_REFUSED = new Set([4001, 4010]);
const BUSY = 1013;
const TOO_MUCH = 1008;

// biome-ignore format: a list to read over
const WORDS = ['It was a good week', 'Too many meetings, sadly', 'The team was great', 'I am tired', 'Happy with it', 'Nothing to add'];

export function createChatClient(
  url: string,
  token: string,
  dueMs: number,
  random: Random,
  on: ChatEvents,
): ChatClient {
  const address = `${url.replace(/^http/, 'ws').replace(/\/$/, '')}/chat`;
  const [orgId, reachOutId] = token.split('.').map((part) => Number.parseInt(part, 36)) as [number, number];
  let socket: WebSocket | undefined;
  let lastSeq = 0;
  let failures = 0;
  let greeted = false;
  let over = false;
  let answers = 0;
  let asked = false;
  /** The seq of the newest question. */
  let question: number | undefined;
  let unsent: { nonce: string; questionSeq: number; body: string; dueMs: number; storedAs?: number } | undefined;
  let timer: NodeJS.Timeout | undefined;

  function connect(): void {
    const mine = new WebSocket(address, { perMessageDeflate: false, handshakeTimeout: HELLO_MS });
    socket = mine;
    let opened = false;
    wait(HELLO_MS);
    if (!greeted && failures === 0) on.started(dueMs);
    mine.on('open', () => {
      opened = true;
      mine.send(JSON.stringify({ type: 'hello', token, lastSeq }));
    });
    mine.on('message', (data) => mine === socket && receive(JSON.parse(String(data)) as Frame));
    mine.on('error', () => undefined); // `close` follows
    mine.on('close', (code) => mine === socket && closed(code, !opened));
  }

  function receive(frame: Frame) {
    switch (frame.type) {
      case 'welcome':
        return welcomed(frame);
      case 'message':
        return heard(frame);
      case 'ack':
        return acknowledged(frame);
      case 'finished':
        return end('finished');
      case 'error':
        return refusedAnswer(frame);
    }
  }

  function welcomed({ messages, waitingFor, finished }: Frame) {
    clearTimeout(timer);
    failures = 0;
    on.welcomed(dueMs, !greeted);
    if (!greeted) socket?.send(JSON.stringify({ type: 'seen' }));
    question = waitingFor ?? question;
    greeted = true;
    asked = false;
    for (const message of messages) heard(message);
    if (over) return;
    if (finished) return end('finished');
    if (unsent !== undefined) return sendAnswer();
    // A welcome without news: the question was heard before the connection was lost.
    if (!asked) ask();
  }

  /** No number twice, no number missing. */
  function heard({ seq, sender, body, answer }: Message) {
    if (seq <= lastSeq) return;
    if (seq !== lastSeq + 1) on.wrong(`message ${seq} of reach-out ${reachOutId} came after ${lastSeq}`);
    lastSeq = seq;
    if (sender !== 'bot') {
      if (unsent?.body === body) unsent.storedAs = seq;
      return;
    }
    if (answer === undefined) return;
    question = seq;
    if (unsent === undefined) ask();
  }

  function ask(): void {
    asked = true;
    on.question();
  }

  function acknowledged({ nonce, seq }: Pick<Frame, 'nonce' | 'seq'>): void {
    if (unsent === undefined || unsent.nonce !== nonce) return;
    clearTimeout(timer);
    const { body, dueMs: answerDue } = unsent;
    unsent = undefined;
    on.acknowledged(answerDue, { orgId, reachOutId, nonce, seq, body });
    // After a reconnect the bot's next question may have come before the acknowledgement.
    if (question !== undefined && question > seq && !over) ask();
  }

  function refusedAnswer({ code, message }: Frame) {
    if (code === 'rate_limited' || code === 'overloaded') return drop(); // comes back later, with the same nonce
    if (unsent === undefined) return;
    const { dueMs: answerDue } = unsent;
    unsent = undefined;
    on.failed(answerDue, code);
    if (code !== 'conflict') on.wrong(`an answer was refused: ${message}`);
    end('given up');
  }

  function sendAnswer(): void {
    if (socket?.readyState !== WebSocket.OPEN || unsent === undefined) return;
    const { nonce, questionSeq, body } = unsent;
    socket.send(JSON.stringify({ type: 'answer', nonce, questionSeq, text: body }));
    wait(ACK_MS);
  }

  function wait(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(drop, ms);
  }

  /** A dead connection does not notice its own end for minutes. */
  function drop(): void {
    const old = socket;
    closed(1006, false);
    old?.terminate();
  }

  function closed(code: number, refused: boolean) {
    clearTimeout(timer);
    socket = undefined;
    if (over) return;
    if (LINK_REFUSED.has(code)) return end('link');
    if (refused || code === BUSY) on.refused();
    else on.lost();
    if (failures >= SOCKET_TRIES_MAX) return end('given up');
    const { base, max } = SOCKET_BACKOFF_MS;
    const ceiling = code === TOO_MUCH ? max : Math.min(max, base * 2 ** failures);
    failures++;
    timer = setTimeout(connect, random.next() * ceiling);
  }

  function end(why: 'finished' | 'link' | 'given up'): void {
    if (over) return;
    over = true;
    clearTimeout(timer);
    socket?.close();
    if (unsent?.storedAs !== undefined) acknowledged({ nonce: unsent.nonce, seq: unsent.storedAs });
    else if (unsent !== undefined) on.failed(unsent.dueMs, why);
    unsent = undefined;
    on.over(why);
  }

  connect();
  return {
    answer(answerDue) {
      if (unsent !== undefined || question === undefined || over) return false;
      const nonce = `${orgId}-${reachOutId}-${lastSeq}-${(++answers).toString(36)}-${random.below(2 ** 31).toString(36)}`;
      // The nonce in the text: an answer that was stored twice is found by its words.
      unsent = { nonce, questionSeq: question, body: `${random.pick(WORDS)} (${nonce})`, dueMs: answerDue };
      on.started(answerDue);
      sendAnswer();
      return true;
    },
    close() {
      over = true;
      clearTimeout(timer);
      socket?.terminate();
    },
  };
}
