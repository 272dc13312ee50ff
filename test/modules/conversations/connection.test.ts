import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectConversation } from '../../../web/modules/conversations/connection.js';
import type {
  ClientFrame,
  Message,
  ServerFrame,
  TicketAnswer,
  Welcome,
} from '../../../web/modules/conversations/protocol.js';

/** The client against a server that the test plays, with a fake clock and fixed random numbers. */
interface Line {
  readonly protocols: readonly string[];
  readonly said: ClientFrame[];
  readonly at: number;
  open(): void;
  hear(frame: ServerFrame): void;
  close(code: number, reason?: string): void;
  readonly isLetGo: boolean;
}

let lines: Line[];
let reports: [string, ...unknown[]][];
let network: { offline(): void; online(): void; back(): void };
let conversation: ReturnType<typeof connectConversation>;
/** What the server answers to the link's token; undefined when it is not heard of. */
let ticket: () => TicketAnswer | undefined;
let asked: AbortSignal[];

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  lines = [];
  asked = [];
  ticket = () => ({ ticket: `t${asked.length}` });
  reports = [];
});
afterEach(() => {
  conversation.close();
  vi.useRealTimers();
});

const bot = (seq: number, answer: 'text' | 'scale' = 'text'): Message => ({
  seq,
  sender: 'bot',
  body: `question ${seq}`,
  at: '',
  answer,
});
const own = (seq: number, nonce: string): Message => ({ seq, sender: 'employee', body: 'an answer', at: '', nonce });
const WELCOME: Welcome = {
  type: 'welcome',
  name: 'Ada',
  organisation: 'Acme',
  campaign: 'Monday',
  questions: 2,
  messages: [bot(1)],
  lastSeq: 1,
  finished: false,
  waitingFor: 1,
};
const AGAIN: Welcome = { ...WELCOME, messages: [] };

function connect({ storage = null as Storage | null, random = 1 } = {}): void {
  const on = new Proxy(
    {},
    {
      get:
        (_, what: string) =>
        (...about: unknown[]) =>
          void reports.push([what, ...about]),
    },
  );
  conversation = connectConversation({
    url: 'ws://chat.test/chat',
    token: 'link',
    on,
    environment: {
      requestTicket,
      openSocket,
      storage,
      random: () => random,
      watch(heard) {
        network = heard;
        return () => undefined;
      },
    },
  });
}

/** Answers at once, not a moment later as a promise would, so that a test can go on without waiting. */
function requestTicket(_url: string, _token: string, signal: AbortSignal): Promise<TicketAnswer> {
  asked.push(signal);
  const then = (heard: (answer: TicketAnswer) => void) => {
    const answer = ticket();
    if (answer !== undefined) heard(answer);
  };
  return { then } as unknown as Promise<TicketAnswer>;
}

function openSocket(_url: string, protocols: string[]): WebSocket {
  const said: ClientFrame[] = [];
  let letGo = false;
  const socket = {
    readyState: 0,
    onopen: null as (() => void) | null,
    onmessage: null as ((event: { data: string }) => void) | null,
    onclose: null as ((event: { code: number; reason: string }) => void) | null,
    send: (text: string) => said.push(JSON.parse(text)),
    close() {
      letGo = true;
    },
  };
  lines.push({
    protocols,
    said,
    at: Date.now(),
    open() {
      socket.readyState = 1;
      socket.onopen?.();
    },
    hear: (frame) => socket.onmessage?.({ data: JSON.stringify(frame) }),
    close(code, reason = '') {
      socket.readyState = 3;
      socket.onclose?.({ code, reason });
    },
    get isLetGo() {
      return letGo;
    },
  });
  return socket as unknown as WebSocket;
}

const line = (nth = -1) => lines.at(nth) as Line;
const reported = (what: string) => reports.filter(([kind]) => kind === what).map(([, ...about]) => about);
const lastState = () => reported('state').at(-1)?.[0];
const waitingFor = () => (reported('waiting').at(-1)?.[0] as { seq: number } | null)?.seq;
function welcomed(): Line {
  connect();
  line().open();
  line().hear(WELCOME);
  return line();
}

test('the first hello has the version and no seq, and the next one the highest seq', () => {
  welcomed().close(1006);
  vi.advanceTimersByTime(500);
  line().open();
  expect(lines.map(({ said }) => said[0])).toEqual([
    { type: 'hello', version: 1, lastSeq: 0 },
    { type: 'hello', version: 1, lastSeq: 1 },
  ]);
});

test('each connection has a ticket of its own', () => {
  welcomed().close(1006);
  vi.advanceTimersByTime(500);
  expect(lines.map(({ protocols }) => protocols)).toEqual([
    ['ticket', 'ticket.t1'],
    ['ticket', 'ticket.t2'],
  ]);
});

test('a ticket that is refused for now is asked for again after the time that the server says', () => {
  ticket = () => ({ type: 'error', code: 'rate_limited', message: '', retryAfterMs: 3_000 });
  connect();
  expect(lastState()).toBe('busy');
  ticket = () => ({ ticket: 'now' });
  vi.advanceTimersByTime(3_499);
  expect(lines).toHaveLength(0);
  vi.advanceTimersByTime(1);
  expect(lines).toHaveLength(1);
});

test.each([
  ['not_found', 'invalid'],
  ['gone', 'gone'],
])('a ticket that is refused with %s ends the conversation', (code, why) => {
  ticket = () => ({ type: 'error', code, message: '' });
  connect();
  expect(reported('refused')).toEqual([[why]]);
  vi.advanceTimersByTime(600_000);
  expect(asked).toHaveLength(1);
});

test('a ticket that does not come is given up and asked for again, also when the network comes back meanwhile', () => {
  ticket = () => undefined;
  connect();
  vi.advanceTimersByTime(15_000);
  expect(asked[0]?.aborted).toBe(true);
  expect(lastState()).toBe('waiting');
  vi.advanceTimersByTime(500);
  expect(asked).toHaveLength(2);
  network.offline();
  expect(lastState()).toBe('offline');
  expect(asked[1]?.aborted).toBe(true);
  ticket = () => ({ ticket: 'now' });
  network.online();
  expect(lines).toHaveLength(1);
});

describe('a move to another process', () => {
  const states = () => reported('state').map(([state]) => state);

  test('is not told', () => {
    welcomed().close(1012, 'retry after 300 ms');
    vi.advanceTimersByTime(800);
    line().open();
    line().hear(AGAIN);
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(2);
    expect(states()).toEqual(['connecting', 'open', 'open']);
  });

  test('keeps what is answered meanwhile', () => {
    welcomed().close(1012, 'retry after 300 ms');
    expect(conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1')).toBe('n1');
    vi.advanceTimersByTime(800);
    line().open();
    line().hear(AGAIN);
    expect(line().said[1]).toMatchObject({ nonce: 'n1', text: 'fine' });
  });

  test('that takes too long is told', () => {
    welcomed().close(1012, 'retry after 300 ms');
    ticket = () => ({ type: 'error', code: 'overloaded', message: '', retryAfterMs: 20_000 });
    vi.advanceTimersByTime(3_999);
    expect(states()).toEqual(['connecting', 'open']);
    vi.advanceTimersByTime(1);
    expect(states()).toEqual(['connecting', 'open', 'busy']);
  });

  test('during which the network goes is told at once', () => {
    welcomed().close(1012, 'retry after 300 ms');
    network.offline();
    expect(lastState()).toBe('offline');
  });
});

test('an answer has the seq of its question, is under way alone, and is delivered once it is acknowledged', () => {
  const server = welcomed();
  expect(waitingFor()).toBe(1);
  expect(conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1')).toBe('n1');
  expect(server.said[1]).toEqual({ type: 'answer', nonce: 'n1', questionSeq: 1, text: 'fine' });
  expect(conversation.answer({ questionSeq: 1, text: 'a second thought' })).toBeNull();
  server.hear({ type: 'ack', nonce: 'n1', seq: 2 });
  expect(reported('delivered')).toEqual([['n1', 2, expect.objectContaining({ text: 'fine' })]]);
  expect(waitingFor()).toBeUndefined();
  expect(conversation.answer({ questionSeq: 1, text: 'a second thought' })).toBeNull();
  server.hear({ type: 'message', ...own(2, 'n1') });
  server.hear({ type: 'message', ...bot(3, 'scale') });
  expect(reported('waiting').at(-1)).toEqual([{ seq: 3, answer: 'scale' }]);
  expect(conversation.answer({ questionSeq: 1, text: 'too late for this one' })).toBeNull();
  expect(conversation.answer({ questionSeq: 3, choice: 4 }, 'n2')).toBe('n2');
  expect(server.said[2]).toEqual({ type: 'answer', nonce: 'n2', questionSeq: 3, choice: 4 });
});

test('an answer that is under way when the connection breaks is sent again under its nonce', () => {
  const server = welcomed();
  conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1');
  server.close(1006);
  vi.advanceTimersByTime(500);
  line().open();
  line().hear(AGAIN);
  expect(line().said[1]).toMatchObject({ nonce: 'n1', questionSeq: 1, text: 'fine' });
});

test('an answer that comes back as a message is delivered, and is not sent again', () => {
  const server = welcomed();
  conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1');
  server.close(1006);
  vi.advanceTimersByTime(500);
  line().open();
  line().hear({ ...AGAIN, messages: [own(2, 'n1'), bot(3)], lastSeq: 3, waitingFor: 3 });
  expect(reported('delivered')).toEqual([['n1', 2, expect.anything()]]);
  expect(line().said).toHaveLength(1);
  expect(waitingFor()).toBe(3);
});

test('without an acknowledgement the connection is presumed dead, although it does not say so', () => {
  const server = welcomed();
  conversation.answer({ questionSeq: 1, text: 'fine' });
  vi.advanceTimersByTime(9_999);
  expect(server.isLetGo).toBe(false);
  vi.advanceTimersByTime(1);
  expect(server.isLetGo).toBe(true);
  expect(lastState()).toBe('waiting');
});

test('a refused hello is acted on at once: the client waits as long as it was told, and a random time more', () => {
  connect({ random: 0.5 });
  line().open();
  line().hear({ type: 'error', code: 'overloaded', message: '', retryAfterMs: 3_000 });
  expect(line().isLetGo).toBe(true);
  expect(lastState()).toBe('busy');
  vi.advanceTimersByTime(3_249);
  expect(lines).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(lines).toHaveLength(2);
});

test.each([
  ['not_found', 'invalid'],
  ['invalid', 'invalid'],
  ['gone', 'gone'],
  ['unsupported', 'outdated'],
])('a hello that is refused with %s ends the conversation at once, without waiting for the close', (code, why) => {
  connect();
  line().open();
  line().hear({ type: 'error', code, message: '' });
  expect(reported('refused')).toEqual([[why]]);
  vi.advanceTimersByTime(600_000);
  expect(lines).toHaveLength(1);
});

test('a server that no longer understands a hello is tried again when the link was good before', () => {
  welcomed().close(1012);
  vi.advanceTimersByTime(500);
  line().open();
  line().hear({ type: 'error', code: 'invalid', message: '' });
  expect(reported('refused')).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(lines).toHaveLength(3);
});

test.each([1012, 1013])('a close with %i and a hint is obeyed, also when the network comes back meanwhile', (code) => {
  welcomed().close(code, 'retry after 4000 ms');
  expect(lastState()).toBe('busy');
  vi.advanceTimersByTime(2_000);
  network.online();
  network.back();
  expect(lines).toHaveLength(1);
  vi.advanceTimersByTime(2_499);
  expect(lines).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(lines).toHaveLength(2);
});

test('waits grow while connections are lost, and begin anew after one that lasted or that took an answer', () => {
  connect();
  const waited: number[] = [];
  const lose = () => {
    const from = Date.now();
    const count = lines.length;
    line().close(1006);
    while (lines.length === count) vi.advanceTimersByTime(50);
    waited.push(line().at - from);
    line().open();
  };
  lose();
  lose();
  line().hear(WELCOME);
  lose();
  line().hear(AGAIN);
  conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1');
  line().hear({ type: 'ack', nonce: 'n1', seq: 2 });
  lose();
  line().hear(AGAIN);
  lose();
  line().hear(AGAIN);
  vi.advanceTimersByTime(5_000);
  lose();
  expect(waited).toEqual([500, 650, 845, 500, 650, 500]);
});

test('an answer that meets an overloaded server waits as long as it is told, on the same connection', () => {
  const server = welcomed();
  conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1');
  server.hear({ type: 'error', code: 'overloaded', message: '', nonce: 'n1', retryAfterMs: 2_000 });
  expect(lastState()).toBe('busy');
  vi.advanceTimersByTime(2_499);
  expect(server.said).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(server.said[2]).toEqual(server.said[1]);
  server.hear({ type: 'ack', nonce: 'n1', seq: 2 });
  expect(lastState()).toBe('open');
  expect(lines).toHaveLength(1);
});

test('an answer that will never be taken is said to be rejected, and the question waits again', () => {
  const server = welcomed();
  conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1');
  server.hear({ type: 'error', code: 'invalid', message: 'Not like this.', nonce: 'n1' });
  expect(reported('rejected')).toEqual([['n1', expect.anything(), { code: 'invalid', message: 'Not like this.' }]]);
  expect(waitingFor()).toBe(1);
});

test('an answer that comes after its link has expired ends the conversation', () => {
  const server = welcomed();
  conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1');
  server.hear({ type: 'error', code: 'gone', message: 'Closed.', nonce: 'n1' });
  expect(reported('rejected')).toHaveLength(1);
  expect(reported('refused')).toEqual([['gone']]);
  expect(server.isLetGo).toBe(true);
});

test('after a conflict the client asks what it missed, and learns that the conversation ended elsewhere', () => {
  const server = welcomed();
  conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1');
  server.hear({ type: 'error', code: 'conflict', message: 'Finished.', nonce: 'n1' });
  expect(server.said.at(-1)).toEqual({ type: 'hello', version: 1, lastSeq: 1 });
  server.hear({ ...AGAIN, messages: [own(2, 'other'), bot(3)], lastSeq: 3, waitingFor: null, finished: true });
  expect(reported('finished')).toEqual([[]]);
  expect(waitingFor()).toBeUndefined();
});

test('an answer written before the end is still sent after it: the server knows whether it was in time', () => {
  const server = welcomed();
  conversation.answer({ questionSeq: 1, text: 'fine' }, 'n1');
  server.close(1006);
  vi.advanceTimersByTime(500);
  line().open();
  line().hear({ ...AGAIN, waitingFor: null, finished: true });
  expect(line().said[1]).toMatchObject({ type: 'answer', nonce: 'n1' });
  line().hear({ type: 'ack', nonce: 'n1', seq: 2 });
  expect(reported('delivered')).toHaveLength(1);
});

test('a question that was answered before is never said to wait, while the conversation is repeated', () => {
  connect();
  line().open();
  line().hear({ ...WELCOME, messages: [bot(1), own(2, 'before'), bot(3)], lastSeq: 3, waitingFor: 3 });
  expect(reported('waiting')).toEqual([[{ seq: 3, answer: 'text' }]]);
});

test('a message that is missing is fetched by connecting again; one that came before is dropped', () => {
  const server = welcomed();
  server.hear({ type: 'message', ...bot(1) });
  server.hear({ type: 'message', ...bot(3) });
  expect(reported('gap')).toEqual([[{ expected: 2, got: 3 }]]);
  vi.advanceTimersByTime(500);
  line().open();
  line().hear({ ...AGAIN, messages: [own(2, 'other'), bot(3)], lastSeq: 3, waitingFor: 3 });
  expect(reported('message').map(([message]) => (message as Message).seq)).toEqual([1, 2, 3]);
});

test('a replay that the server cannot give starts over from what it says', () => {
  welcomed().close(1006);
  vi.advanceTimersByTime(500);
  line().open();
  line().hear({ type: 'resync', fromSeq: 71 });
  line().hear({ ...AGAIN, messages: [own(71, 'other'), bot(72)], lastSeq: 72, waitingFor: 72 });
  expect(reported('restarted')).toEqual([[]]);
  expect(reported('gap')).toEqual([]);
  expect(waitingFor()).toBe(72);
});

test('the network that goes is heard at once, and when it is back nobody waits', () => {
  const server = welcomed();
  network.offline();
  expect(lastState()).toBe('offline');
  expect(server.isLetGo).toBe(true);
  vi.advanceTimersByTime(14_999);
  expect(lines).toHaveLength(1);
  network.online();
  expect(lines).toHaveLength(2);
  line().open();
  line().hear(AGAIN);
  expect(lastState()).toBe('open');
});

test('a connection that was begun without a network is given up for a new one when the network is back', () => {
  welcomed().close(1006);
  vi.advanceTimersByTime(500);
  expect(lines).toHaveLength(2);
  network.online();
  expect(line(1).isLetGo).toBe(true);
  expect(lines).toHaveLength(3);
  line().open();
  line().hear(AGAIN);
  network.online();
  expect(lines).toHaveLength(3);
});

test('a person who comes back after a while hears what they missed, or that the connection is dead', () => {
  const server = welcomed();
  network.back();
  expect(server.said).toHaveLength(1);
  vi.advanceTimersByTime(60_000);
  network.back();
  expect(server.said[1]).toMatchObject({ type: 'hello', lastSeq: 1 });
  vi.advanceTimersByTime(15_000);
  expect(server.isLetGo).toBe(true);
});

test('the sign of a person is sent once, as soon as there is a connection', () => {
  connect();
  conversation.seen();
  line().open();
  line().hear(WELCOME);
  conversation.seen();
  line().close(1006);
  vi.advanceTimersByTime(500);
  line().open();
  line().hear(AGAIN);
  conversation.seen();
  expect(lines.flatMap(({ said }) => said).filter(({ type }) => type === 'seen')).toHaveLength(1);
});

test('a client that is closed stays closed', () => {
  const server = welcomed();
  server.close(1006);
  conversation.close();
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(1);
});
