import { afterEach, expect, test } from 'vitest';
import { broadcast } from '../../src/socket/broadcast.ts';
import type { Connection } from '../../src/socket/connection.ts';
import { openSocket } from './client.ts';
import { startSocketServer, type TestSocketServer } from './socket-server.ts';

let server: TestSocketServer | undefined;
afterEach(() => server?.close());

test('a message to many is serialised once, and each of them hears it', async () => {
  const connections: Connection[] = [];
  server = await startSocketServer({
    handler: {
      async message(connection) {
        connection.welcomed();
        connections.push(connection);
        connection.send({ type: 'welcome' });
      },
    },
  });
  const { address } = server;
  const clients = await Promise.all(Array.from({ length: 5 }, () => openSocket(`${address}/echo`)));
  for (const client of clients) {
    client.say({});
    await client.heard((frame) => frame.type === 'welcome');
  }
  let serialised = 0;
  const message = {
    toJSON() {
      serialised++;
      return { type: 'message', body: 'Grüße 你好' };
    },
  };
  clients[0]?.socket.terminate(); // one that is gone disturbs nobody
  broadcast(connections, message);
  for (const client of clients.slice(1))
    expect(await client.heard(({ type }) => type === 'message')).toEqual({ type: 'message', body: 'Grüße 你好' });
  expect(serialised).toBe(1);
});
