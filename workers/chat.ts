import { createPageServer } from '../src/http/page-server.ts';
import { loadPages } from '../src/http/pages.ts';
import { MODULES } from '../src/modules.ts';
import { closeServer, listen } from '../src/process/listen.ts';
import type { Process } from '../src/process/run-process.ts';
import { admissionLimits } from '../src/socket/admission.ts';
import { createDoor } from '../src/socket/door.ts';
import { createSocketServer } from '../src/socket/server.ts';
import { createTicketExchanges } from '../src/socket/ticket-exchange.ts';
import { openAccessWatch } from './parts/access-watch.ts';
import { loadFaces } from './parts/modules.ts';
import { useDatabase, useRedis } from './parts/resources.ts';

/** WebSocket connections. Reads from the primary, because a message must be visible at once. */
export async function start(process: Process, modules = MODULES): Promise<void> {
  const { config, log, metrics, health } = process;
  const database = await useDatabase(process);
  const redis = await useRedis(process, { needed: false });
  const faces = await loadFaces(modules, ({ socket }) => socket);
  const endpoints = await process.open(
    'socket endpoints',
    () => faces.map(({ sockets }) => sockets({ config, log, database, redis, metrics })),
    (opened) => opened.forEach(({ close }) => void close?.()),
  );
  const door = createDoor({
    origins: [config.chatUrl, config.apiUrl, ...config.socketOrigins],
    admission: admissionLimits(config.socketsPerAddress),
    proxyHops: config.trustProxyHops,
  });
  const pages = loadPages(modules.map(({ name }) => name));
  const prefixes = Object.assign({}, ...endpoints.map((endpoint) => endpoint.pages));
  const posts = createTicketExchanges(endpoints, door);
  const access = await process.open(
    'access watch',
    () => openAccessWatch(process, database, redis),
    ({ close }) => close(),
  );
  const server = await process.open(
    'chat http',
    () => createPageServer({ pages, prefixes, posts, health, metrics }),
    closeServer,
  );
  await process.open(
    'sockets',
    () => createSocketServer({ server, endpoints, door, access, log, metrics }),
    (sockets) => sockets.close(),
  );
  await listen(server, { host: config.host, port: config.chatPort, variable: 'CHAT_PORT' }, log);
}
