import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { discardUnread } from '../../src/socket/take-reader.ts';
import { until } from '../database.ts';
import { openTcp } from './socket-server.ts';

const server = createServer();
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());

/** As the upgrade leaves it: what came with the request is put back before what came after it. */
test('all that has arrived is discarded, however many parts it came in', async () => {
  const accepted = once(server, 'connection');
  const client = await openTcp((server.address() as { port: number }).port);
  const [stream] = (await accepted) as [Socket];
  stream.pause();
  stream.unshift(Buffer.alloc(50_000));
  client.write(Buffer.alloc(200_000));
  stream.read(0);
  await until('more has arrived', () => stream.readableLength > 100_000);
  stream.destroy();
  discardUnread(stream);
  expect(stream.readableLength).toBe(0);
  client.destroy();
});
