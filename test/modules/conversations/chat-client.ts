import { type ClientOptions, WebSocket } from 'ws';
import { until } from '../../database.ts';

export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface ChatClient {
  readonly socket: WebSocket;
  /** Everything that the server said, oldest first. */
  readonly frames: Frame[];
  say(frame: object): void;
  /** The first frame for which `matches` holds, waiting for it. */
  heard(matches: (frame: Frame) => boolean): Promise<Frame>;
  /** Says hello and waits for the welcome. */
  hello(token: string, lastSeq?: number): Promise<Frame>;
  /** Answers the newest question, in words or with a number, and waits for the acknowledgement. */
  answer(nonce: string, content: string | number): Promise<Frame>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** `address` is that of the chat (http:); resolves when the socket is open. */
export async function openChat(address: string, options: ClientOptions = {}): Promise<ChatClient> {
  const socket = new WebSocket(`${address.replace(/^http/, 'ws')}/chat`, options);
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
  const heard = (matches: (frame: Frame) => boolean) => until('the frame was heard', () => frames.find(matches));
  return {
    socket,
    frames,
    say,
    heard,
    closed,
    async hello(token, lastSeq = 0) {
      const before = frames.length;
      say({ type: 'hello', token, lastSeq });
      return until('the welcome', () => frames.slice(before).find((frame) => frame.type === 'welcome'));
    },
    async answer(nonce, content) {
      const before = frames.length;
      say(answerFrame(nonce, questionIn(frames), content));
      return until('the answer to the answer', () =>
        frames
          .slice(before)
          .find((frame) => (frame.type === 'ack' && frame['nonce'] === nonce) || frame.type === 'error'),
      );
    },
  };
}

export function answerFrame(nonce: string, questionSeq: number, content: string | number): object {
  return {
    type: 'answer',
    nonce,
    questionSeq,
    ...(typeof content === 'string' ? { text: content } : { choice: content }),
  };
}

/** The seq of the newest question that the frames tell of; 1, which is every conversation's first, if there is none. */
function questionIn(frames: readonly Frame[]): number {
  const seqs = frames.map((frame) =>
    frame.type === 'message' && frame['answer'] ? frame['seq'] : frame['waitingFor'],
  );
  return Math.max(1, ...seqs.filter((seq) => typeof seq === 'number'));
}
