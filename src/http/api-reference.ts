import swagger from '@fastify/swagger';
import { scopeOf } from './api-keys.ts';
import type { App } from './app.ts';
import type { Pages } from './pages.ts';
import { sendPage } from './server.ts';

/**
 * Serves the OpenAPI document, generated from the routes' schemas, at /docs/openapi.json, and a page for it at /docs.
 * Call it before adding routes.
 */
export async function describeApi(app: App, apiUrl: string, pages: Pages): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tardigrade',
        version: '1',
        description:
          "Sign in with POST /api/sessions and send the token as `Authorization: Bearer …`; a program sends an API key the same way, and can do what the key's scope (`x-scope`) allows. The response to a write has a `read-after` header: send it back with the next read, and that read sees the write however far the replica lags.",
      },
      servers: [{ url: apiUrl }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: ({ schema, url, route }) => ({
      url,
      schema: {
        ...schema,
        hide: !url.startsWith('/api/'),
        ...(route.config?.public === true ? { security: [] } : {}),
        ...(route.config?.public === true ? {} : { 'x-scope': scopeOf(String(route.method), route.config?.scope) }),
        ...(route.config?.role === undefined ? {} : { 'x-role': route.config.role }),
      } as typeof schema,
    }),
  });
  app.get('/docs', async (request, reply) => sendPage(reply, pages.answer('/docs.html', request.headers)));
  app.get('/docs/openapi.json', async (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(app.swagger()),
  );
}
