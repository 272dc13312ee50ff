import { Type } from 'typebox';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { App } from '../../http/app.ts';
import { closed, Id, IdParams, nullable, PageQuery, pageSchema, Time } from '../../http/schemas.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { retryCampaign } from './campaigns.ts';
import { campaignById } from './queries.ts';
import { failuresByCause, reachOutsPage } from './recipient-queries.ts';
import { Campaign, noSuchCampaign, tagged } from './schemas.ts';

const Cause = Type.String({
  description:
    'of a failed one: `recipient` (the mailbox does not take it), `mail` (this mail is refused), `unsupported` (our mail server cannot send to such an address), `unconfirmed` (the mail server got it and never said whether it took it), `bounced` (it took it, and another server returned it)',
});

const ReachOut = Type.Object({
  id: Id,
  employee: Type.Object({ id: Id, name: Type.String(), email: Type.String() }),
  status: Type.String(),
  attempts: Type.Integer(),
  sentAt: nullable(Time),
  error: nullable(Type.String()),
  cause: nullable(Cause),
  suppressed: Type.Boolean({ description: 'the address must not be sent mail: it cannot be sent to again' }),
  complainedAt: nullable(Time),
});

/** What became of each mail of a campaign, and sending those that failed again. */
export function recipientRoutes(api: App, { cursors }: ApiContext): void {
  const tags = ['campaigns'];

  api.get(
    '/campaigns/:id/failures',
    {
      schema: {
        summary: 'How many recipients failed, by cause',
        tags,
        params: IdParams,
        response: {
          200: Type.Object({
            items: Type.Array(
              Type.Object({
                cause: Cause,
                count: Type.Integer(),
                suppressed: Type.Integer({
                  description: 'of them: not sent to again, because the address is suppressed',
                }),
                example: nullable(Type.String()),
              }),
            ),
          }),
        },
      },
    },
    async ({ db, user, params }) => ({
      items: await db.read(async (reader) => {
        if ((await campaignById(reader, user.orgId, params.id)) === undefined) throw noSuchCampaign();
        return failuresByCause(reader, user.orgId, params.id);
      }),
    }),
  );

  api.post(
    '/campaigns/:id/retry',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Send to failed recipients again: to one, to those of one cause, or to all',
        description: 'Those whose address is suppressed stay failed.',
        tags,
        params: IdParams,
        body: Type.Object(
          {
            cause: Type.Optional(
              Type.Union([
                Type.Literal('recipient'),
                Type.Literal('mail'),
                Type.Literal('unsupported'),
                Type.Literal('unconfirmed'),
                Type.Literal('bounced'),
              ]),
            ),
            reachOutId: Type.Optional(Id),
          },
          closed,
        ),
        response: { 202: Campaign },
      },
    },
    async (request, reply) => {
      reply.code(202);
      return tagged(reply, await retryCampaign(request.db, actorOf(request), request.params.id, request.body));
    },
  );

  api.get(
    '/campaigns/:id/reach-outs',
    {
      schema: {
        summary: 'The mails of a campaign, one per recipient',
        tags,
        params: IdParams,
        querystring: Type.Object(
          {
            ...PageQuery,
            status: Type.Optional(
              Type.Union([
                Type.Literal('waiting'),
                Type.Literal('sending'),
                Type.Literal('sent'),
                Type.Literal('failed'),
                Type.Literal('skipped'),
              ]),
            ),
          },
          closed,
        ),
        response: { 200: pageSchema(ReachOut) },
      },
    },
    async ({ db, user, params, query }) => {
      const { status } = query;
      return cursors.page(
        `reach-outs ${params.id} ${status ?? ''}`,
        query,
        (after: IdPlace | undefined, rows) =>
          db.read(async (reader) => {
            if ((await campaignById(reader, user.orgId, params.id)) === undefined) throw noSuchCampaign();
            return reachOutsPage(reader, user.orgId, params.id, status, after, rows);
          }),
        ({ id }) => [id],
      );
    },
  );
}
