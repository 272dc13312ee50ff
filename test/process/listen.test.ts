import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { closeServer, explain, listen } from '../../src/process/listen.ts';
import { until } from '../database.ts';

test('a port that is taken is reported with the variable that changes it', async () => {
  const holder = await listening(createServer());
  const where = { host: '127.0.0.1', port: portOf(holder), variable: 'API_PORT' };
  const starting = listen(createServer(), where);
  await expect(starting).rejects.toBeInstanceOf(StartError);
  await expect(starting).rejects.toThrow(
    `Port ${where.port} on 127.0.0.1 is taken by another program. Stop that one, or set API_PORT to a free port.`,
  );
});

test('an address that this machine does not have is reported with the variable that holds it', async () => {
  const starting = listen(createServer(), { host: '192.0.2.1', port: 0, variable: 'API_PORT' });
  await expect(starting).rejects.toThrow(/no address 192\.0\.2\.1\. Set HOST to/);
});

test('a port that needs privileges is explained, and an unexpected error is passed on unchanged', () => {
  const where = { host: '127.0.0.1', port: 80, variable: 'CHAT_PORT' };
  expect(explain(Object.assign(new Error(), { code: 'EACCES' }), where)).toMatchObject({
    name: 'StartError',
    message: expect.stringMatching(/Port 80 needs privileges.*CHAT_PORT to a port above 1023/),
  });
  const strange = Object.assign(new Error('strange'), { code: 'EMFILE' });
  expect(explain(strange, where)).toBe(strange);
});

test('closing lets the request in flight end, and accepts no new one', async () => {
  const answer = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const server = await listening(
    createServer(async (_, response) => {
      arrived.resolve();
      await answer.promise;
      response.end('saved');
    }),
  );
  const url = `http://127.0.0.1:${portOf(server)}`;
  const inFlight = fetch(url, { headers: { connection: 'close' } });
  await arrived.promise;

  const closed = closeServer(server);
  await until('the door is closed', () => !server.listening);
  await expect(fetch(url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  answer.resolve();
  expect(await (await inFlight).text()).toBe('saved');
  await closed;
});

test('idle keep-alive connections do not delay closing', async () => {
  const server = await listening(createServer((_, response) => void response.end('ok')));
  const socket = connect(portOf(server), '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'); // and keep-alive, as HTTP/1.1 does
  await once(socket, 'data');
  const from = performance.now();
  await closeServer(server);
  expect(performance.now() - from).toBeLessThan(1_000);
  socket.destroy();
});

async function listening(server: Server): Promise<Server> {
  await listen(server, { host: '127.0.0.1', port: 0, variable: 'API_PORT' });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
