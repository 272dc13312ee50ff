import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Bytes over a connection of their own, which stays open until the server or the test ends it. */
export interface Dripping {
  readonly socket: Socket;
  /** Everything that came back so far. */
  readonly heard: () => string;
  readonly closed: Promise<void>;
}

/** Opens `count` connections that send `head`, and then a byte now and then. */
export async function drip(url: string, count: number, head: string, everyMs = 200): Promise<Dripping[]> {
  const { hostname, port } = new URL(url);
  const opened = Array.from({ length: count }, () => {
    const socket = connect(Number(port), hostname);
    let heard = '';
    socket.setEncoding('utf8').on('data', (text) => {
      heard += text;
    });
    socket.on('error', () => undefined);
    const timer = setInterval(() => socket.writable && socket.write(' '), everyMs);
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        clearInterval(timer);
        resolve();
      });
    });
    onTestFinished(() => void socket.destroy());
    return { socket, heard: () => heard, closed };
  });
  await Promise.all(opened.map(({ socket }) => once(socket, 'connect')));
  for (const { socket } of opened) socket.write(head);
  return opened;
}

/** The first line of a request and its headers. */
export function head(line: string, headers: Record<string, string> = {}): string {
  const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
