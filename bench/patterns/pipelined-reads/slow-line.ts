import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface SlowLine {
  /** Of the server, at the far end of the line. */
  readonly url: string;
  close(): Promise<void>;
}

/** A server in another zone: everything arrives `delayMs` after it was sent, in either direction. */
export async function openSlowLine(serverUrl: string, delayMs: number): Promise<SlowLine> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const line = createServer({ noDelay: true }, (client) => {
    const server = connect({ port: Number(target.port), host: target.hostname, noDelay: true });
    const carry = (from: Socket, to: Socket) => {
      sockets.add(from);
      from
        .on('data', (bytes) => void setTimeout(() => to.writable && to.write(bytes), delayMs))
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
    };
    carry(client, server);
    carry(server, client);
  });
  line.listen(0, '127.0.0.1');
  await once(line, 'listening');
  const url = new URL(serverUrl);
  url.port = String((line.address() as AddressInfo).port);
  return {
    url: url.href,
    async close() {
      line.close();
      for (const socket of sockets) socket.destroy();
      await once(line, 'close');
    },
  };
}
