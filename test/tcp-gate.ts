import { connect, createServer, type Server, type Socket } from 'node:net';

export interface TcpGate {
  readonly port: number;
  /** Refuses new connections and cuts the open ones. */
  shut(): Promise<void>;
  /** Who is in stays, but hears nothing any more. */
  silence(): void;
  open(): Promise<void>;
}

/** A door in front of a real server, to take it away and bring it back. Open at first; `port` stays the same. */
export async function createTcpGate(target: URL, port: number): Promise<TcpGate> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;

  async function open(): Promise<void> {
    const opened = createServer((client) => {
      const upstream = connect(Number(target.port), target.hostname);
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve, reject) => {
      opened.once('error', reject);
      opened.listen(port, '127.0.0.1', resolve);
    });
    server = opened;
  }

  await open();
  return {
    port,
    open,
    silence() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    async shut() {
      const closing = server;
      server = undefined;
      const closed = new Promise<void>((resolve) =>
        closing === undefined ? resolve() : closing.close(() => resolve()),
      );
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
