import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from '../../bench/load/random.ts';

export interface TcpProxy {
  /** The address of the proxy in the place of the server's. */
  readonly url: string;
  /** Called with what a client sends, before it goes on; a proxy that returns 'cut' ends the connection instead. */
  onSend: (chunk: Buffer, cut: { client(): void }) => 'cut' | undefined;
  /** Called with what the server answers, which it hands on whole, in parts or later. */
  onAnswer: (chunk: Buffer, handOn: (part: Buffer) => void) => void;
  /** Nothing comes through any more, and nothing is closed: a line that was cut somewhere in between. */
  freeze(): void;
  thaw(): void;
  /** Ends every connection and accepts no more, as a server that went away. */
  close(): Promise<void>;
}

/** Stands between a client and a server, so that a test can break the line at an exact moment. */
export async function createTcpProxy(serverUrl: string, port = 0): Promise<TcpProxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: Number(target.port), host: target.hostname, noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    const handOn = (part: Buffer) => void (client.destroyed || client.write(part));
    upstream.on('data', (chunk: Buffer) => proxy.onAnswer(chunk, handOn)).on('close', () => client.destroy());
    client.on('data', (chunk: Buffer) => {
      if (proxy.onSend(chunk, { client: () => client.destroy() }) === 'cut') {
        client.destroy();
        upstream.destroy();
      } else upstream.write(chunk);
    });
    if (frozen) for (const socket of [client, upstream]) socket.pause();
    // What was sent before the client went away still arrives.
    client.on('close', () => upstream.end());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(serverUrl);
  url.port = String((server.address() as AddressInfo).port);
  const proxy: TcpProxy = {
    url: url.href,
    onSend: () => undefined,
    onAnswer: (chunk, handOn) => handOn(chunk),
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
  return proxy;
}

/** PostgreSQL sends an error at once, and in another packet that it is ready again: here `ms` later, as over a busy line. */
export function delayReadiness(proxy: TcpProxy, ms: number): void {
  let failed = false;
  proxy.onAnswer = (chunk, handOn) => {
    for (let at = 0; at < chunk.length; at += 1 + chunk.readUInt32BE(at + 1)) {
      const type = chunk[at];
      if (type === ERROR_RESPONSE) failed = true;
      if (type !== READY_FOR_QUERY || !failed) continue;
      failed = false;
      handOn(chunk.subarray(0, at));
      setTimeout(() => handOn(chunk.subarray(at)), ms);
      return;
    }
    handOn(chunk);
  };
}

const ERROR_RESPONSE = 'E'.charCodeAt(0);
const READY_FOR_QUERY = 'Z'.charCodeAt(0);

/** Each answer comes in two pieces, the second one a moment later. */
export function tearAnswers(proxy: TcpProxy, random: Random): void {
  const lines = new Map<(part: Buffer) => void, Promise<void>>();
  proxy.onAnswer = (chunk, handOn) => {
    const cut = random.below(chunk.length);
    const sent = (lines.get(handOn) ?? Promise.resolve()).then(async () => {
      handOn(chunk.subarray(0, cut));
      for (let turns = random.below(5); turns > 0; turns--) await turn();
      handOn(chunk.subarray(cut));
    });
    lines.set(handOn, sent);
  };
}
