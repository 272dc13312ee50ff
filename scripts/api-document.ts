import { loadConfig } from '../src/config.ts';
import { createCursors } from '../src/db/keyset-pagination.ts';
import { openDatabase } from '../src/db/read-write-split.ts';
import type { Document } from '../src/http/api-document.ts';
import { createApiKeys } from '../src/http/api-keys.ts';
import { describeApi, documentOf } from '../src/http/api-reference.ts';
import { createSessions } from '../src/http/authentication.ts';
import { createExports } from '../src/http/exports.ts';
import { createIssuedTokens } from '../src/http/issued-tokens.ts';
import { loadPages } from '../src/http/pages.ts';
import { createPasswordHasher } from '../src/http/password-hashing.ts';
import { createRateLimits } from '../src/http/rate-limit.ts';
import { createServer, mountApi } from '../src/http/server.ts';
import { createLog } from '../src/log.ts';
import type { ApiContext, Module } from '../src/modules/faces.ts';
import { createHealth } from '../src/process/health-check.ts';
import { createMetrics } from '../src/process/metrics.ts';
import {
  loadActions,
  loadEvents,
  loadFeedbacks,
  loadFigures,
  loadLinks,
  loadPersonalData,
} from '../workers/parts/modules.ts';

/** Complete, but leads nowhere: nothing connects before the first query. */
const ENVIRONMENT = {
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
  REDIS_URL: 'redis://127.0.0.1:1',
  SMTP_URL: 'smtp://127.0.0.1:1',
  SECRET_KEY: 'f3a91c07d2e84b65f3a91c07d2e84b65',
  API_URL: 'https://api.example',
  NODE_ENV: 'development',
};

/** The OpenAPI document of these modules, made without any server. */
export async function apiDocument(modules: readonly Module[]): Promise<Document> {
  const config = loadConfig(ENVIRONMENT);
  const [log, metrics] = [createLog('document', 'silent'), createMetrics('document')];
  const database = openDatabase({ config, name: 'api', log, metrics });
  const pages = loadPages([]);
  const tokens = createIssuedTokens(config.secretKey);
  const credentials = { sessions: createSessions(database, tokens), apiKeys: createApiKeys(database, tokens) };
  const context: ApiContext = {
    ...{ config, log, database, pages, ...credentials, queues: [], report: metrics.report },
    hasher: createPasswordHasher(),
    createRateLimit: createRateLimits(),
    redis: undefined as never, // no route asks for it before a request does
    cursors: createCursors(config.secretKey),
    exports: createExports(),
    figures: await loadFigures(modules),
    events: await loadEvents(modules),
    person: await loadPersonalData(modules),
    links: await loadLinks(modules),
    feedbacks: await loadFeedbacks(modules),
    actions: await loadActions(modules),
  };
  const health = createHealth(new AbortController().signal);
  const app = await createServer({ ...context, database, credentials, health, metrics });
  await describeApi(app, config.apiUrl, pages);
  const faces = await Promise.all(modules.flatMap(({ routes }) => routes?.() ?? []));
  await mountApi(app, { ...context, credentials }, (api) => {
    for (const { routes } of faces) routes(api, context);
  });
  await app.ready();
  const document = documentOf(app);
  await app.close();
  await database.close();
  return document;
}
