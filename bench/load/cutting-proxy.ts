/**
 * A TCP proxy on loopback that breaks every connection through it, again and again, without a word to either side. New
 * connections go to the targets in turn, so whoever comes back comes back to another one.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly url: string;
  /** Connections broken so far. */
  readonly cut: number;
  close(): void;
}

export async function startCuttingProxy(targets: readonly string[], everyMs: number): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let cut = 0;
  let turn = 0;
  const server = createServer((near) => {
    const { hostname, port } = new URL(targets[turn++ % targets.length] as string);
    const far = connect(Number(port), hostname);
    open.add(near);
    near.on('close', () => {
      open.delete(near);
      far.destroy();
    });
    far.on('close', () => near.destroy());
    for (const socket of [near, far]) socket.setNoDelay(true).on('error', () => undefined); // `close` follows
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cutting = setInterval(() => {
    cut += open.size;
    for (const socket of open) socket.resetAndDestroy();
  }, everyMs);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cut() {
      return cut;
    },
    close() {
      clearInterval(cutting);
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
