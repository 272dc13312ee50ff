import { WebSocket } from 'ws';
import { connectConversation } from '../../../web/modules/conversations/connection.js';
import { PLAIN } from '../../../web/modules/conversations/environment.js';
import {
  type AnswerContent,
  answerFrame,
  helloFrame,
  type Message,
  protocolsOf,
  seenFrame,
  type TicketAnswer,
} from '../../../web/modules/conversations/protocol.js';
import { until } from '../../database.ts';

/** A person in a check-in, with the client that the page has: it comes back by itself. */
export interface Person {
  /** What was said, in order. */
  readonly messages: readonly Message[];
  readonly isFinished: boolean;
  /** How many connections were lost. */
  readonly lost: number;
  /** Messages that were missed for a moment. */
  readonly gaps: number;
  /**
   * Answers the question that waits, waiting for it; returns the answer's seq, or the refusal of the server. `cut`: the
   * line breaks as soon as the answer is on its way.
   */
  answer(answer: string | number, options?: { cut?: boolean }): Promise<number | { code: string; message: string }>;
  finished(): Promise<void>;
  close(): void;
}

/** `address` is that of the chat (http:). */
export function openConversation(address: string, token: string): Person {
  const messages: Message[] = [];
  const outcomes = new Map<string, number | { code: string; message: string }>();
  let socket: WebSocket;
  const seen = { waitingFor: undefined as number | undefined, isFinished: false, lost: 0, gaps: 0 };
  const conversation = connectConversation({
    url: socketUrl(address),
    token,
    environment: {
      openSocket(url, protocols) {
        socket = new WebSocket(url, protocols);
        return socket as unknown as globalThis.WebSocket;
      },
    },
    on: {
      message: (message) => void messages.push(message),
      waiting: (question) => {
        seen.waitingFor = question?.seq;
      },
      delivered: (nonce, seq) => void outcomes.set(nonce, seq),
      rejected: (nonce, _, refusal) => void outcomes.set(nonce, refusal),
      finished: () => {
        seen.isFinished = true;
      },
      lost: () => seen.lost++,
      gap: () => seen.gaps++,
    },
  });
  conversation.seen();
  return {
    messages,
    get isFinished() {
      return seen.isFinished;
    },
    get lost() {
      return seen.lost;
    },
    get gaps() {
      return seen.gaps;
    },
    async answer(answer, { cut = false } = {}) {
      const questionSeq = await until('a question waits', () => seen.waitingFor);
      const nonce = conversation.answer(contentOf(questionSeq, answer));
      if (nonce === null) throw new Error(`question ${questionSeq} does not wait any more`);
      if (cut) socket.terminate();
      return until('the answer to the answer', () => outcomes.get(nonce));
    },
    finished: async () => void (await until('the end', () => seen.isFinished)),
    close: conversation.close,
  };
}

export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A socket that speaks the protocol word by word, and does nothing by itself. */
export interface ChatClient {
  readonly socket: WebSocket;
  /** Everything that the server said, oldest first. */
  readonly frames: Frame[];
  say(frame: object): void;
  /** The first frame for which `matches` holds, waiting for it. */
  heard(matches: (frame: Frame) => boolean): Promise<Frame>;
  /** Says hello and waits for the welcome. */
  hello(lastSeq?: number): Promise<Frame>;
  seen(): void;
  /** Answers the last question that was heard, or the given one, and waits for the acknowledgement. */
  answer(nonce: string, answer: string | number, questionSeq?: number): Promise<Frame>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** What the chat answers to the token of a link. `address` is that of the chat (http:). */
export function askForTicket(address: string, token: string): Promise<TicketAnswer> {
  return PLAIN.requestTicket(socketUrl(address), token, AbortSignal.timeout(TICKET_WAIT_MS));
}

/**
 * `address` is that of the chat (http:), `entry` the token of a link or a ticket; resolves when the socket is open,
 * rejects when it is refused.
 */
export async function openChat(address: string, entry: string | { readonly ticket: string }): Promise<ChatClient> {
  const answer = typeof entry === 'string' ? await askForTicket(address, entry) : entry;
  if (!('ticket' in answer)) throw new Error(`no ticket: ${answer.code}`);
  const socket = new WebSocket(socketUrl(address), protocolsOf(answer.ticket));
  const frames: Frame[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as Frame));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined); // `close` follows
  const say = (frame: object) => socket.send(JSON.stringify(frame));
  const heard = (matches: (frame: Frame) => boolean) =>
    until('the frame was heard', () => frames.find(matches)).catch((error: Error) => {
      const newest = JSON.stringify(frames.slice(-3));
      const state = socket.readyState === WebSocket.OPEN ? 'open' : 'closed';
      throw new Error(`${error.message}; the socket is ${state} and heard last: ${newest}`);
    });
  return {
    socket,
    frames,
    say,
    heard,
    closed,
    async hello(lastSeq = 0) {
      const before = frames.length;
      say(helloFrame(lastSeq));
      return until('the welcome', () => frames.slice(before).find((frame) => frame.type === 'welcome'));
    },
    seen: () => say(seenFrame()),
    async answer(nonce, answer, questionSeq = newestQuestion(frames)) {
      const before = frames.length;
      say(sayAnswer(nonce, questionSeq, answer));
      return until('the answer to the answer', () =>
        frames
          .slice(before)
          .find((frame) => (frame.type === 'ack' && frame['nonce'] === nonce) || frame.type === 'error'),
      );
    },
  };
}

/** The frame of an answer, in words or with a number. */
export function sayAnswer(nonce: string, questionSeq: number, answer: string | number): object {
  return answerFrame(nonce, contentOf(questionSeq, answer));
}

function contentOf(questionSeq: number, answer: string | number): AnswerContent {
  return typeof answer === 'number' ? { questionSeq, choice: answer } : { questionSeq, text: answer };
}

/** The seq of the newest question that the frames tell of; 1, which is every conversation's first, if there is none. */
function newestQuestion(frames: readonly Frame[]): number {
  const seqs = frames.map((frame) =>
    frame.type === 'message' && frame['answer'] ? frame['seq'] : frame['waitingFor'],
  );
  return Math.max(1, ...seqs.filter((seq) => typeof seq === 'number'));
}

const TICKET_WAIT_MS = 10_000;

function socketUrl(address: string): string {
  return `${address.replace(/^http/, 'ws')}/chat`;
}
