/**
 * What a machine is worth at the moment: requests to a server that does nothing but answer, in this process. CPU time is
 * the machine's as much as ours, and compared with what these take it is ours.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { call } from '../call.ts';

const ROWS = Array.from({ length: 50 }, (_, id) => ({ id, name: `Row ${id}`, email: `row-${id}@example.test` }));

export interface BareServer {
  /** CPU seconds of as many requests, one after the other, of both ends. */
  cpuOf(requests: number): Promise<number>;
  close(): void;
}

export async function startBareServer(): Promise<BareServer> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(ROWS));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    async cpuOf(requests) {
      const before = process.cpuUsage();
      for (let asked = 0; asked < requests; asked++) await call(address, '/');
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1e6;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
