import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Database } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import type { App } from '../../http/app.ts';
import { readJsonBodies } from '../../http/json-body.ts';
import { closed, Email, Id, IdParams, nullable, PageQuery, pageSchema, Time } from '../../http/schemas.ts';
import { isSignedWebhook } from '../../http/webhook-signature.ts';
import { EMAIL_CHARS_MAX, MAIL_REASON_CHARS_MAX, WEBHOOK_EVENTS_MAX } from '../../limits.ts';
import { readReference } from '../../mail/mail-reference.ts';
import { toLowerCase, toSearch } from '../../mail-address.ts';
import { whoIs } from '../accounts/accounts.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { takeMailEvent } from './mail-events.ts';
import { type AddressPlace, suppressionsFound, suppressionsPage } from './queries.ts';
import { liftSuppression, suppressByHand } from './suppressions.ts';

const Suppression = Type.Object({
  id: Id,
  address: Type.String(),
  reason: Type.String({
    description:
      '`bounce`: its mail server refused it for good; `complaint`: its owner marked a mail as spam; `person`: added by hand',
  }),
  detail: Type.String({ description: 'the words of the mail server, or the name of the person' }),
  createdAt: Time,
  liftedAt: nullable({ ...Time, description: 'null: it is in force' }),
  liftedBy: nullable(Type.String()),
});

const REFERENCE_CHARS_MAX = EMAIL_CHARS_MAX + 2; // an address in the brackets of a Message-ID

const MailEvent = Type.Object(
  {
    type: Type.Union([Type.Literal('bounce'), Type.Literal('complaint')]),
    reference: Type.String({
      minLength: 1,
      maxLength: REFERENCE_CHARS_MAX,
      description: 'the X-Mail-Reference, Message-ID or Return-Path of the mail',
    }),
    permanent: Type.Optional(
      Type.Boolean({ description: 'of a bounce: the mailbox will never take mail; otherwise nothing is suppressed' }),
    ),
    reason: Type.Optional(
      Type.String({ maxLength: MAIL_REASON_CHARS_MAX, description: 'the words of the mail server' }),
    ),
  },
  closed,
);

export function routes(api: App, context: ApiContext): void {
  const { cursors, database } = context;
  const tags = ['suppressions'];
  const nameOf = async (user: { orgId: number; userId: number }) =>
    (await whoIs(database, user.orgId, user.userId)).user.name;

  api.get(
    '/suppressions',
    {
      schema: {
        summary: 'Addresses that are not sent mail, newest first; search results are ordered by address',
        description: 'Those that were lifted are among them, with who did it and when.',
        tags,
        querystring: Type.Object(
          {
            ...PageQuery,
            search: Type.Optional(
              Type.String({ maxLength: EMAIL_CHARS_MAX, description: 'the beginning of an address' }),
            ),
          },
          closed,
        ),
        response: { 200: pageSchema(Suppression) },
      },
    },
    async ({ db, user, query }) => {
      const search = toLowerCase(toSearch((query.search ?? '').trim()));
      if (search === '')
        return cursors.page(
          'suppressions',
          query,
          (before: IdPlace | undefined, rows) =>
            db.read((reader) => suppressionsPage(reader, user.orgId, before, rows)),
          ({ id }) => [id],
        );
      return cursors.page(
        `suppressions ${search}`,
        query,
        (after: AddressPlace | undefined, rows) =>
          db.read((reader) => suppressionsFound(reader, user.orgId, search, after, rows)),
        ({ address, id }) => [address, id],
      );
    },
  );

  api.post(
    '/suppressions',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Suppress an address by hand',
        tags,
        body: Type.Object({ address: Email }, closed),
        response: { 201: Suppression },
      },
    },
    async (request, reply) => {
      const { db, user, body } = request;
      return reply.code(201).send(await suppressByHand(db, actorOf(request), body.address, await nameOf(user)));
    },
  );

  api.post(
    '/suppressions/:id/lift',
    {
      config: { role: 'admin' },
      schema: { summary: 'Let an address be sent mail again', tags, params: IdParams, response: { 200: Suppression } },
    },
    async (request) => liftSuppression(request.db, actorOf(request), request.params.id, await nameOf(request.user)),
  );

  api.register(async (scope) => mailEventRoute(scope as unknown as App, context));
}

/** Bounces and complaints by HTTP, as mail providers report them. */
function mailEventRoute(api: App, { config, feedbacks }: ApiContext): void {
  const { mailWebhookSecret: secret, secretKey } = config;
  // What is signed are the bytes of the body.
  const bodies = new WeakMap<FastifyRequest, Buffer>();
  api.removeContentTypeParser('application/json');
  readJsonBodies(api, (request, bytes) => void bodies.set(request, bytes));

  api.post(
    '/mail-events',
    {
      config: { public: true, repeatable: false, problems: ['unauthenticated', 'not_found'] },
      schema: {
        summary: 'Report bounces and complaints, signed (for mail providers)',
        description:
          'Signed as in the Standard Webhooks (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`) with MAIL_WEBHOOK_SECRET. Sending the same event again changes nothing, and neither does one about a mail that is unknown.',
        tags: ['suppressions'],
        body: Type.Object({ events: Type.Array(MailEvent, { minItems: 1, maxItems: WEBHOOK_EVENTS_MAX }) }, closed),
        response: { 200: Type.Object({ taken: Type.Integer(), ignored: Type.Integer() }) },
      },
    },
    async (request) => {
      if (secret === undefined)
        throw new AppError('not_found', 'This service takes no mail events: MAIL_WEBHOOK_SECRET is not set.');
      if (!isSignedWebhook(secret, request.headers, bodies.get(request) ?? ''))
        throw new AppError('unauthenticated', 'The signature is missing, wrong or too old.');
      const transact: Database['transact'] = (scope, work) => request.caller.within(scope).write(work);
      let taken = 0;
      for (const { type, reference: text, permanent = false, reason = 'reported by the mail provider' } of request.body
        .events) {
        const reference = readReference(secretKey, text);
        if (reference === undefined) continue;
        const event =
          type === 'bounce' ? ({ kind: type, permanent, reason } as const) : ({ kind: type, reason } as const);
        if (await takeMailEvent({ transact }, feedbacks, reference, event)) taken++;
      }
      return { taken, ignored: request.body.events.length - taken };
    },
  );
}
