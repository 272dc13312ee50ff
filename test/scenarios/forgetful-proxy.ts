import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface ForgetfulProxy {
  readonly url: string;
  /** Distinct statements that lost a filter on their way. */
  readonly forgotten: ReadonlySet<string>;
  close(): Promise<void>;
}

/**
 * A proxy in front of PostgreSQL that takes `org_id = $n` out of every statement: the product as it would be if each of its
 * queries had forgotten the filter. The product itself is the one that is shipped.
 */
export async function createForgetfulProxy(serverUrl: string): Promise<ForgetfulProxy> {
  const target = new URL(serverUrl);
  const forgotten = new Set<string>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    upstream.pipe(client);
    let left: Buffer = Buffer.alloc(0);
    let started = false;
    client.on('data', (chunk: Buffer) => {
      left = Buffer.concat([left, chunk]);
      // A message is a type byte, its length and that many bytes; the first one has no type byte.
      for (;;) {
        const header = started ? 1 : 0;
        if (left.length < header + 4 || left.length < header + left.readInt32BE(header)) return;
        const size = header + left.readInt32BE(header);
        const message = left.subarray(0, size);
        left = left.subarray(size);
        upstream.write(started && message[0] === PARSE ? forget(message, forgotten) : message);
        started = true;
      }
    });
    client.on('close', () => upstream.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(serverUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    forgotten,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
}

const PARSE = 'P'.charCodeAt(0);
const FILTER = /(?:"?\w+"?\.)?"?\borg_id"? = (\$\d+)/g;

/** Parse: type, length, name, zero, text, zero, parameter types. The parameter stays in use, or its number would be missing. */
function forget(message: Buffer, forgotten: Set<string>): Buffer {
  const textStart = message.indexOf(0, 5) + 1;
  const textEnd = message.indexOf(0, textStart);
  const text = message.toString('utf8', textStart, textEnd);
  const without = text.replace(FILTER, '($1::bigint is not null)');
  if (without === text) return message;
  forgotten.add(text);
  const result = Buffer.concat([message.subarray(0, textStart), Buffer.from(without), message.subarray(textEnd)]);
  result.writeInt32BE(result.length - 1, 1);
  return result;
}
