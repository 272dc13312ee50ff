import { loadPages } from '../src/http/pages.ts';
import { createChatPages } from '../src/modules/conversations/pages.ts';
import { createChatHandler } from '../src/modules/conversations/socket.ts';
import { closeServer, listen } from '../src/process/listen.ts';
import type { Process } from '../src/process/run-process.ts';
import { createSocketServer } from '../src/socket/server.ts';
import { useDatabase, useRedis } from './parts/resources.ts';

/** WebSocket: check-in conversations, on the primary, because an answer must be seen at once. */
export async function start(process: Process): Promise<void> {
  const { config, log, metrics, health } = process;
  const database = await useDatabase(process);
  await useRedis(process);
  const handler = createChatHandler(database, config.secretKey, metrics);
  const server = await process.open('chat http', () => createChatPages(loadPages(), health, metrics), closeServer);
  await process.open(
    'sockets',
    () =>
      createSocketServer({ server, path: '/chat', origins: [new URL(config.chatUrl).origin], handler, log, metrics }),
    (sockets) => sockets.close(),
  );
  await listen(server, { host: config.host, port: config.chatPort, variable: 'CHAT_PORT' });
}
