import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { closeServer, explain, listen } from '../../src/process/listen.ts';
import { until } from '../database.ts';
import { launch } from './launched.ts';
import { createQuietLog } from './quiet-log.ts';

const { log, warn } = createQuietLog();

test('a port that is taken is reported with the variable that changes it', async () => {
  const holder = await listening(createServer());
  const where = { host: '127.0.0.1', port: portOf(holder), variable: 'API_PORT' };
  const starting = listen(createServer(), where, log);
  await expect(starting).rejects.toBeInstanceOf(StartError);
  await expect(starting).rejects.toThrow(
    `Port ${where.port} on 127.0.0.1 is taken by another program. Stop that one, or set API_PORT to a free port.`,
  );
});

test.each(['192.0.2.1', 'no-such-host.invalid'])(
  '%s, which this machine does not have, is reported with the variable that holds it',
  async (host) => {
    const starting = listen(createServer(), { host, port: 0, variable: 'API_PORT' }, log);
    await expect(starting).rejects.toThrow(`This machine has no address ${host}. Set HOST to`);
  },
);

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
  expect(performance.now() - from).toBeLessThan(server.keepAliveTimeout); // after which Node ends them anyway
  socket.destroy();
});

test('an error while it listens is logged and ends nothing', async () => {
  const { log: own, error } = createQuietLog();
  const server = createServer((_, response) => void response.end('ok'));
  await listen(server, { host: '127.0.0.1', port: 0, variable: 'API_PORT' }, own);
  onTestFinished(() => void server.close());
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  expect(error).toHaveBeenCalledOnce();
  expect(await (await fetch(`http://127.0.0.1:${portOf(server)}`)).text()).toBe('ok');
});

test('connections beyond the limit are refused with one line in the log, however many they are', async () => {
  const server = createServer((_, response) => void response.end('ok'));
  server.maxConnections = 1;
  await listening(server);
  const first = connect(portOf(server), '127.0.0.1');
  await once(first, 'connect');
  for (let n = 0; n < 5; n++) await once(connect(portOf(server), '127.0.0.1'), 'close');
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    { refused: 1, maxConnections: 1 },
    'connections are refused: as many as allowed are open',
  );
  first.destroy();
});

test('the servers of one process share its open files', async () => {
  const first = await listening(createServer());
  const alone = first.maxConnections;
  const second = await listening(createServer());
  expect(second.maxConnections).toBe(first.maxConnections);
  if (Number.isFinite(alone)) expect(first.maxConnections).toBeLessThan(alone);
});

// Only Linux says in /proc how many files a process may open.
test.runIf(process.platform === 'linux')(
  'with few file descriptors it stays alive, says so and serves the open sockets',
  async () => {
    const source = `
    import { createServer } from 'node:http';
    import { createLog } from '${import.meta.dirname}/../../src/log.ts';
    import { listen } from '${import.meta.dirname}/../../src/process/listen.ts';
    const server = createServer((_, response) => response.end('ok'));
    await listen(server, { host: '127.0.0.1', port: 0, variable: 'API_PORT' }, createLog('api', 'info'));
    createLog('api', 'info').info({ port: server.address().port }, 'listening');`;
    const script = ['ulimit -n 120; exec "$0" --input-type=module-typescript -e "$1"', process.execPath, source];
    const { child, lines } = launch(['-e', SHELL, 'sh', '-c', ...script], { PATH: process.env['PATH'] ?? '' });
    const port = await until('it listens', () => lines().find(({ msg }) => msg === 'listening')?.['port'] as number);
    const sockets = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    await until('it has said so', () => lines().some(({ msg }) => String(msg).startsWith('connections are refused')));
    const open = sockets[0] as (typeof sockets)[0];
    const answered = once(open, 'data');
    open.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(String(await answered)).toMatch(/^HTTP\/1.1 200 OK/);
    for (const socket of sockets) socket.destroy();
    await until('new ones are accepted', () =>
      fetch(`http://127.0.0.1:${port}`).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
    expect(child.exitCode).toBeNull();
  },
);

/** Replaces Node by the program that its arguments name, so that a shell can set limits for what follows. */
const SHELL =
  "const { execFileSync } = require('node:child_process'); process.execve(execFileSync('which', [process.argv[1]], { encoding: 'utf8' }).trim(), process.argv.slice(1), process.env)";

async function listening(server: Server): Promise<Server> {
  await listen(server, { host: '127.0.0.1', port: 0, variable: 'API_PORT' }, log);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
