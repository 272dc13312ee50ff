import { Type } from 'typebox';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { App } from '../../http/app.ts';
import { etagOf, versionOf } from '../../http/optimistic-concurrency.ts';
import { closed, Id, IdParams, nullable, PageQuery, pageSchema, Time } from '../../http/schemas.ts';
import { networksOf } from '../../http/ssrf-guard.ts';
import { NAME_CHARS_MAX, TARGET_URL_CHARS_MAX } from '../../limits.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { deliveriesPage, endpointById, endpoints } from './endpoint-queries.ts';
import {
  changeEndpoint,
  createEndpoint,
  found,
  removeEndpoint,
  replayAll,
  replayOne,
  rotateSecret,
  testEndpoint,
} from './endpoints.ts';
import { WEBHOOK_TYPE_CHARS_MAX, WEBHOOK_TYPES_MAX, WEBHOOKS_MAX } from './limits.ts';
import { createWebhookBox } from './secrets.ts';

const Content = {
  url: Type.String({
    minLength: 1,
    maxLength: TARGET_URL_CHARS_MAX,
    description: 'begins with https:// and leads to a public address; redirects are not followed',
    examples: ['https://hooks.example.com/tardigrade'],
  }),
  description: Type.String({ maxLength: NAME_CHARS_MAX, 'x-one-line': true, examples: ['Our CRM'] }),
  eventTypes: Type.Array(Type.String({ maxLength: WEBHOOK_TYPE_CHARS_MAX }), {
    minItems: 1,
    maxItems: WEBHOOK_TYPES_MAX,
    description: 'the types that it listens to: see GET /api/v1/webhook-event-types',
    examples: [['member.joined']],
  }),
};

const endpoint = {
  id: Id,
  url: Type.String(),
  description: Type.String(),
  eventTypes: Type.Array(Type.String()),
  version: Type.Integer({ description: 'for If-Match' }),
  createdAt: Time,
  disabledAt: nullable({ ...Time, description: 'null: events are sent to it' }),
  disabledBecause: nullable(
    Type.String({
      description:
        '`person`: somebody disabled it; `gone`: it answered 410; `failing`: it failed for days; `backlog`: too much was waiting for it',
    }),
  ),
  failingSince: nullable({ ...Time, description: 'null: its last call succeeded' }),
  heldUntil: nullable({ ...Time, description: 'after failures in a row it is left alone until then' }),
  previousSecretUntil: nullable({
    ...Time,
    description: 'until then the secret before the last rotation signs as well',
  }),
};
const Endpoint = Type.Object(endpoint);
const WithSecret = Type.Object({
  ...endpoint,
  secret: Type.String({ description: '`whsec_…`, which is never shown again', examples: [`whsec_${'A'.repeat(43)}=`] }),
});

const Status = Type.Union([Type.Literal('waiting'), Type.Literal('delivered'), Type.Literal('dead')], {
  description: '`dead`: given up, after the last attempt or because the webhook was disabled; it can be replayed',
});

const Delivery = Type.Object({
  id: Id,
  endpointId: Id,
  messageId: Type.String({ description: 'the header webhook-id, the same for all attempts' }),
  eventType: Type.String(),
  status: Status,
  attempts: Type.Integer({ description: 'since it was written or replayed' }),
  createdAt: Time,
  nextAttemptAt: nullable(Time),
  lastAttemptAt: nullable(Time),
  lastStatus: nullable(Type.Integer({ description: 'of the answer; null: there was none' })),
  lastMs: nullable(Type.Integer({ description: 'milliseconds that the last attempt took' })),
  lastError: nullable(Type.String()),
});

export function routes(api: App, { config, cursors, events }: ApiContext): void {
  const tags = ['webhooks'];
  const parts = {
    box: createWebhookBox(config.secretKey),
    networks: networksOf(config.webhookNetworks),
    types: Object.keys(events),
  };
  // A key that leaks must not leave an endpoint behind that outlives it.
  const byPeople = { role: 'admin', scope: 'none' } as const;
  api.tagThing('/webhooks/:id', { lockTag: versionOf('webhook_endpoints') });

  api.get(
    '/webhooks',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'listWebhooks',
        summary: 'The webhooks of the organisation, newest first',
        tags,
        response: { 200: Type.Object({ items: Type.Array(Endpoint, { maxItems: WEBHOOKS_MAX }) }) },
      },
    },
    async ({ db, user }) => ({ items: await db.read((reader) => endpoints(reader, user.orgId)) }),
  );

  api.get(
    '/webhook-event-types',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'listWebhookEventTypes',
        summary: 'The types of events that a webhook can listen to',
        tags,
        response: {
          200: Type.Object({
            types: Type.Array(
              Type.Object({
                type: Type.String(),
                means: Type.String(),
                example: Type.Object({}, { additionalProperties: true, description: 'the `data` of its messages' }),
              }),
            ),
          }),
        },
      },
    },
    async () => ({ types: Object.entries(events).map(([type, { means, example }]) => ({ type, means, example })) }),
  );

  api.post(
    '/webhooks',
    {
      config: byPeople,
      schema: {
        operationId: 'createWebhook',
        summary: 'Create a webhook',
        description:
          'The answer is the only one that has the secret: messages are signed with it, by the Standard Webhooks specification.',
        tags,
        body: Type.Object(
          { url: Content.url, description: Type.Optional(Content.description), eventTypes: Content.eventTypes },
          closed,
        ),
        response: { 201: WithSecret },
      },
    },
    async (request, reply) => {
      const { description = '', ...given } = request.body;
      const created = await createEndpoint({ ...parts, db: request.db }, actorOf(request), { ...given, description });
      return reply.code(201).header('etag', etagOf(created.version)).send(created);
    },
  );

  api.post(
    '/webhooks/:id/rotate-secret',
    {
      config: byPeople,
      schema: {
        operationId: 'rotateWebhookSecret',
        summary: 'Replace the secret of a webhook',
        description: 'Until `previousSecretUntil` messages are signed with both, so that its receiver can change over.',
        tags,
        params: IdParams,
        response: { 200: WithSecret },
      },
    },
    async (request, reply) => {
      const rotated = await rotateSecret({ ...parts, db: request.db }, actorOf(request), request.params.id);
      return reply.header('etag', etagOf(rotated.version)).send(rotated);
    },
  );

  api.post(
    '/webhooks/:id/test',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'testWebhook',
        summary: 'Send a test event, `webhook.test`',
        description: 'It is delivered like any other event: look for it among the deliveries.',
        tags,
        params: IdParams,
        response: { 202: Delivery },
      },
    },
    async (request, reply) => reply.code(202).send(await testEndpoint(request.db, actorOf(request), request.params.id)),
  );

  api.get(
    '/webhooks/:id/deliveries',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'listWebhookDeliveries',
        summary: 'The deliveries of a webhook, newest first',
        tags,
        params: IdParams,
        querystring: Type.Object({ ...PageQuery, status: Type.Optional(Status) }, closed),
        response: { 200: pageSchema(Delivery) },
      },
    },
    async ({ db, user, params, query }) => {
      const { orgId } = user;
      found(await db.read((reader) => endpointById(reader, orgId, params.id)));
      return cursors.page(
        `webhook-deliveries ${params.id} ${query.status ?? ''}`,
        query,
        (before: IdPlace | undefined, rows) =>
          db.read((reader) =>
            deliveriesPage(reader, orgId, { endpointId: params.id, status: query.status }, before, rows),
          ),
        ({ id }) => [id],
      );
    },
  );

  api.post(
    '/webhooks/:id/replay',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'replayWebhook',
        summary: 'Make all deliveries of a webhook again that were given up',
        description: 'The oldest first, up to 1,000 with each call.',
        tags,
        params: IdParams,
        response: { 200: Type.Object({ replayed: Type.Integer() }) },
      },
    },
    async (request) => replayAll(request.db, actorOf(request), request.params.id),
  );

  api.post(
    '/webhook-deliveries/:id/replay',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'replayWebhookDelivery',
        summary: 'Make one delivery again',
        description: 'With the same message id, by which its receiver can tell that it is a repetition.',
        tags,
        params: IdParams,
        response: { 200: Delivery },
      },
    },
    async (request) => replayOne(request.db, actorOf(request), request.params.id),
  );

  api.get(
    '/webhooks/:id',
    {
      config: { role: 'admin' },
      schema: { operationId: 'getWebhook', summary: 'A webhook', tags, params: IdParams, response: { 200: Endpoint } },
    },
    async ({ db, user, params }, reply) => {
      const one = found(await db.read((reader) => endpointById(reader, user.orgId, params.id)));
      return reply.header('etag', etagOf(one.version)).send(one);
    },
  );

  api.patch(
    '/webhooks/:id',
    {
      config: byPeople,
      schema: {
        operationId: 'changeWebhook',
        summary: 'Change, disable or enable a webhook',
        description: 'While it is disabled no events are kept for it, and deliveries that were waiting are given up.',
        tags,
        params: IdParams,
        body: Type.Object(
          { ...Type.Partial(Type.Object(Content)).properties, enabled: Type.Optional(Type.Boolean()) },
          closed,
        ),
        response: { 200: Endpoint },
      },
    },
    async (request, reply) => {
      const { db, params, body } = request;
      const changed = await changeEndpoint({ ...parts, db }, actorOf(request), params.id, body);
      return reply.header('etag', etagOf(changed.version)).send(changed);
    },
  );

  api.delete(
    '/webhooks/:id',
    {
      config: byPeople,
      schema: {
        operationId: 'deleteWebhook',
        summary: 'Delete a webhook',
        tags,
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await removeEndpoint(request.db, actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
