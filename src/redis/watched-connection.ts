/**
 * Connections to Redis that end when an answer is owed for too long. A command that times out keeps its connection, and one
 * whose other end has vanished without a word (a firewall that forgot it, a host that is gone) would hang until the kernel
 * gives it up, after a quarter of an hour.
 *
 * It is looked several times, and each look is a turn of our own event loop: a process that could do nothing for a while,
 * because it starts on a tenth of a CPU, reads what has come meanwhile before it says that nothing came. ioredis's own
 * `socketTimeout` is one timer, which such a process gets to before it reads: it lost its connections again and again.
 */
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';

const LOOKS = 4;

interface Server {
  readonly host: string;
  readonly port: number;
  readonly family: number;
  readonly tls?: ConnectionOptions;
  readonly disconnectTimeout: number;
}

/** What ioredis connects with. */
export function watchedConnector(silenceMs: number) {
  class WatchedConnector extends AbstractConnector {
    readonly #server: Server;

    constructor(server: Server) {
      super(server.disconnectTimeout);
      this.#server = server;
    }

    override async connect(): Promise<Socket> {
      const { host, port, family, tls } = this.#server;
      const address = { host, port, family };
      this.connecting = true;
      await nextTurn();
      if (!this.connecting) throw new Error('The connection was given up before it began');
      const stream = tls === undefined ? connect(address) : connectTls({ ...address, ...tls } as ConnectionOptions);
      stream.once('error', (error) => {
        this.firstError = error;
      });
      this.stream = stream;
      endWhenSilent(stream, silenceMs);
      return stream;
    }
  }
  return WatchedConnector as unknown as NonNullable<RedisOptions['Connector']>;
}

function endWhenSilent(stream: Socket, silenceMs: number): void {
  let written = 0; // when the last answer came
  let silent = 0; // looks since
  stream.on('data', () => {
    written = stream.bytesWritten;
    silent = 0;
  });
  const timer = setInterval(() => {
    silent = stream.bytesWritten > written ? silent + 1 : 0;
    if (silent >= LOOKS) stream.destroy(new Error(`Redis has not answered for ${silenceMs} ms`));
  }, silenceMs / LOOKS).unref();
  stream.once('close', () => clearInterval(timer));
}
