import swagger from '@fastify/swagger';
import type { App } from './app.ts';
import type { Pages } from './pages.ts';
import { sendPage } from './server.ts';

/** The OpenAPI document, made from the routes' own schemas, at /docs/openapi.json, and a page that reads it at /docs. Call before the routes. */
export async function describeApi(app: App, apiUrl: string, pages: Pages): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tardigrade',
        version: '1',
        description:
          'Sign in with POST /api/sessions; send the token as `Authorization: Bearer …`. After a write the answer has a `read-after` header: send it back with the next read and that read sees the write, whatever a replica lags.',
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
        ...(route.config?.role === undefined ? {} : { 'x-role': route.config.role }),
      } as typeof schema,
    }),
  });
  app.get('/docs', async (request, reply) => sendPage(reply, pages.answer('/docs.html', request.headers)));
  app.get('/docs/openapi.json', async (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(app.swagger()),
  );
}
