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
  /** Sends an answer and waits for its acknowledgement. */
  answer(nonce: string, body: string): Promise<Frame>;
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
    async answer(nonce, body) {
      const before = frames.length;
      say({ type: 'answer', nonce, body });
      return until('the answer to the answer', () =>
        frames
          .slice(before)
          .find((frame) => (frame.type === 'ack' && frame['nonce'] === nonce) || frame.type === 'error'),
      );
    },
  };
}
