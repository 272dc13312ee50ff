/**
 * The fastest server there is: a fixed answer from node:http, in a process of its own. How many requests the generator
 * gets through against it is the generator's own limit.
 * Used by calibration.ts; by hand: `node bench/load/null-server.ts` prints its address.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const BODY = JSON.stringify({ items: [{ id: 1, name: 'null' }], nextCursor: null });

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY) });
  response.end(BODY);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (process.send === undefined) console.log(url);
  else process.send({ url });
});
process.on('disconnect', () => process.exit());
