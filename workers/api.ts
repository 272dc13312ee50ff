import { createCursors } from '../src/db/keyset-pagination.ts';
import { createApiKeys } from '../src/http/api-keys.ts';
import { describeApi } from '../src/http/api-reference.ts';
import { createSessions } from '../src/http/authentication.ts';
import { createExports } from '../src/http/exports.ts';
import { createIssuedTokens } from '../src/http/issued-tokens.ts';
import { loadPages } from '../src/http/pages.ts';
import { createPasswordHasher } from '../src/http/password-hashing.ts';
import { createRateLimits } from '../src/http/rate-limit.ts';
import { createServer, mountApi, mountPages } from '../src/http/server.ts';
import type { ApiContext } from '../src/modules/faces.ts';
import { MODULES } from '../src/modules.ts';
import { closeServer, listen } from '../src/process/listen.ts';
import type { Process } from '../src/process/run-process.ts';
import { createAccessNews } from '../src/redis/access-news.ts';
import {
  loadActions,
  loadEvents,
  loadFaces,
  loadFeedbacks,
  loadFigures,
  loadLinks,
  loadPersonalData,
  queueNames,
} from './parts/modules.ts';
import { useDatabase, useRedis, useSharedCounts } from './parts/resources.ts';

/** HTTP: dashboard, API, exports. Reads from the replica, writes to the primary. */
export async function start(process: Process, modules = MODULES): Promise<void> {
  const { config, log, metrics } = process;
  const database = await useDatabase(process);
  const redis = await useRedis(process, { needed: false });
  const createRateLimit = createRateLimits(await useSharedCounts(process, redis));
  const hasher = createPasswordHasher();
  metrics.gauge('password_hashes_waiting', 'Sign-ins waiting for a password hash', () => hasher.waiting);

  // The dashboard opens WebSockets to the chat.
  const pages = loadPages(
    modules.map(({ name }) => name),
    [new URL(config.chatUrl).origin.replace(/^http/, 'ws')],
  );
  const tell = createAccessNews(redis);
  const tokens = createIssuedTokens(config.secretKey);
  const credentials = {
    sessions: createSessions(database, tokens, tell),
    apiKeys: createApiKeys(database, tokens, tell),
  };
  const context: ApiContext = {
    ...{ config, log, database, redis, hasher, createRateLimit, pages, ...credentials },
    cursors: createCursors(config.secretKey),
    exports: createExports(),
    figures: await loadFigures(modules),
    events: await loadEvents(modules),
    person: await loadPersonalData(modules),
    links: await loadLinks(modules),
    feedbacks: await loadFeedbacks(modules),
    actions: await loadActions(modules),
    queues: queueNames(modules),
    report: metrics.report,
  };
  const faces = await loadFaces(modules, ({ routes }) => routes);
  const app = await createServer({ ...process, database, pages, credentials });
  await describeApi(app, config.apiUrl, pages);
  mountPages(app, pages);
  for (const { publicRoutes } of faces) publicRoutes?.(app, context);
  await mountApi(app, { credentials, config, createRateLimit, database }, (api) => {
    for (const { routes } of faces) routes(api, context);
  });
  await app.ready();
  await process.open('http', () => app.server, closeServer);
  await listen(app.server, { host: config.host, port: config.apiPort, variable: 'API_PORT' }, log);
}
