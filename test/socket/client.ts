import { type ClientOptions, WebSocket } from 'ws';
import { until } from '../database.ts';

export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface SocketClient {
  readonly socket: WebSocket;
  /** Everything that the server sent, oldest first. */
  readonly frames: Frame[];
  say(frame: object): void;
  /** The first frame for which `matches` holds, waiting for it. */
  heard(matches: (frame: Frame) => boolean): Promise<Frame>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** `address` begins with http: and ends with the path of the endpoint; resolves when the socket is open. */
export async function openSocket(
  address: string,
  options: ClientOptions = {},
  protocols: readonly string[] = [],
): Promise<SocketClient> {
  const socket = new WebSocket(address.replace(/^http/, 'ws'), [...protocols], options);
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
  return {
    socket,
    frames,
    closed,
    say: (frame) => socket.send(JSON.stringify(frame)),
    heard: (matches) => until('the frame was heard', () => frames.find(matches)),
  };
}
