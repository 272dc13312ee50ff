import { Type } from 'typebox';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { App } from '../../http/app.ts';
import { closed, Id, IdParams, Name, nullable, PageQuery, pageSchema, Time } from '../../http/schemas.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { apiKeysPage } from './api-key-queries.ts';
import { issueApiKey, revokeApiKey } from './api-keys.ts';
import { API_KEY_DAYS_MAX } from './limits.ts';

const key = {
  id: Id,
  name: Type.String(),
  prefix: Type.String({ description: 'the beginning of the key, which is all of it that is ever shown again' }),
  scope: Type.String({ description: 'read, or write, which includes read' }),
  createdAt: Time,
  expiresAt: nullable(Time),
};

const Listed = Type.Object({
  ...key,
  owner: Type.String({ description: 'whose role limits it, and with whose account it goes' }),
  lastUsedAt: nullable(Type.String({ description: 'exact to a minute' })),
});

export function apiKeyRoutes(api: App, { cursors, apiKeys }: ApiContext): void {
  const tags = ['accounts', 'api keys'];

  api.get(
    '/api-keys',
    {
      config: { role: 'admin', scope: 'none' },
      schema: {
        operationId: 'listApiKeys',
        summary: 'The API keys of the organisation, newest first',
        tags,
        querystring: Type.Object(PageQuery, closed),
        response: { 200: pageSchema(Listed) },
      },
    },
    async ({ db, user, query }) =>
      cursors.page(
        'api-keys',
        query,
        (before: IdPlace | undefined, rows) => db.read((reader) => apiKeysPage(reader, user.orgId, before, rows)),
        ({ id }) => [id],
      ),
  );

  api.post(
    '/api-keys',
    {
      config: { role: 'admin', scope: 'none' },
      schema: {
        operationId: 'createApiKey',
        summary: 'Create an API key',
        description:
          'The answer is the only one that has the key: the server keeps its hash. A key can do what its user can, within its scope, but nothing with members, passwords, sessions and keys.',
        tags,
        body: Type.Object(
          {
            name: Name,
            scope: Type.Union([Type.Literal('read'), Type.Literal('write')]),
            expiresInDays: Type.Optional(Type.Integer({ minimum: 1, maximum: API_KEY_DAYS_MAX })),
          },
          closed,
        ),
        response: { 201: Type.Object({ ...key, key: Type.String() }) },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await issueApiKey({ db: request.db, apiKeys }, actorOf(request), request.body)),
  );

  api.delete(
    '/api-keys/:id',
    {
      config: { role: 'admin', scope: 'none' },
      schema: {
        operationId: 'revokeApiKey',
        summary: 'Revoke an API key',
        tags,
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await revokeApiKey({ db: request.db, apiKeys }, actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
