import { createCursors } from '../src/db/keyset-pagination.ts';
import { describeApi } from '../src/http/api-reference.ts';
import { createSessions } from '../src/http/authentication.ts';
import { loadPages } from '../src/http/pages.ts';
import { createPasswordHasher } from '../src/http/password-hashing.ts';
import { createServer, mountApi, mountPages } from '../src/http/server.ts';
import { campaignRoutes } from '../src/modules/campaigns/routes.ts';
import { unsubscribeRoutes } from '../src/modules/campaigns/unsubscribe.ts';
import { conversationRoutes } from '../src/modules/conversations/routes.ts';
import { dashboardRoutes } from '../src/modules/dashboard/routes.ts';
import { employeeRoutes } from '../src/modules/employees/routes.ts';
import { operationsRoutes } from '../src/modules/operations/routes.ts';
import { organisationRoutes } from '../src/modules/organisations/routes.ts';
import { closeServer, listen } from '../src/process/listen.ts';
import type { Process } from '../src/process/run-process.ts';
import { useDatabase, useRedis } from './parts/resources.ts';

/** HTTP: dashboard, API, exports. Reads from the replica, writes to the primary. */
export async function start(process: Process): Promise<void> {
  const { config, log, metrics } = process;
  const database = await useDatabase(process);
  const redis = await useRedis(process);
  const hasher = createPasswordHasher();
  metrics.gauge('password_hashes_waiting', 'Sign-ins waiting for their turn', () => hasher.waiting);

  const sessions = createSessions(database);
  const context = { config, log, database, sessions, hasher, cursors: createCursors(config.secretKey) };
  const pages = loadPages();
  const app = await createServer({ ...process, database, pages });
  await describeApi(app, config.apiUrl, pages);
  mountPages(app, pages);
  unsubscribeRoutes(app, context, pages);
  await mountApi(app, context, (api) => {
    organisationRoutes(api, context);
    employeeRoutes(api, context);
    campaignRoutes(api, context);
    conversationRoutes(api, context);
    dashboardRoutes(api);
    operationsRoutes(api, context, { redis, own: metrics.report });
  });
  await app.ready();
  await process.open('http', () => app.server, closeServer);
  await listen(app.server, { host: config.host, port: config.apiPort, variable: 'API_PORT' });
}
