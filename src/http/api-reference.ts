import { createHash } from 'node:crypto';
import swagger from '@fastify/swagger';
import { completeDocument, type Document, describeRoute } from './api-document.ts';
import type { App } from './app.ts';
import { isAmong } from './entity-tags.ts';
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
          "Sign in with POST /api/v1/sessions and send the token as `Authorization: Bearer …`; a program sends an API key the same way, and can do what the key's scope (`x-scope`) allows. The response to a write has a `read-after` header: send it back with the next read, and that read sees the write however far the replica lags. A POST with an `Idempotency-Key` can be sent again without doing anything twice.",
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: apiUrl }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: ({ schema, url, route }) => {
      if (!url.startsWith('/api/v1/')) return { url, schema: { hide: true } };
      const declared = {
        method: String(route.method),
        url,
        schema: (schema ?? {}) as Record<string, unknown>,
        config: route.config ?? {},
      };
      return { url, schema: describeRoute(declared) as typeof schema };
    },
  });
  app.get('/docs', async (request, reply) => sendPage(reply, pages.answer('/docs.html', request.headers)));

  let made: { text: string; etag: string } | undefined;
  app.get('/docs/openapi.json', async (request, reply) => {
    made ??= withEtag(JSON.stringify(documentOf(app)));
    reply.header('cache-control', 'no-cache').header('etag', made.etag);
    if (isAmong(request.headers['if-none-match'], made.etag)) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(made.text);
  });
}

/** The document of all routes that have been added; ask when the app is ready. */
export function documentOf(app: App): Document {
  return completeDocument(structuredClone(app.swagger()) as unknown as Document);
}

function withEtag(text: string): { text: string; etag: string } {
  return { text, etag: `"${createHash('sha1').update(text).digest('base64url')}"` };
}
