import { Type } from 'typebox';
import { endOfDay, refuseBackwards, startOfDay } from '../../dates.ts';
import { eachPage } from '../../db/streaming-export.ts';
import type { App } from '../../http/app.ts';
import { type CsvValue, sendCsv } from '../../http/csv-reply.ts';
import { closed, Day, Id, nullable, PageQuery, pageSchema, Time } from '../../http/schemas.ts';
import { EXPORT_MS, EXPORT_PAGE_ROWS, TIME_ZONE_CHARS_MAX } from '../../limits.ts';
import type { ApiContext } from '../faces.ts';
import { actorOf, writeAudit } from './audit.ts';
import { AUDIT_ACTION_CHARS_MAX } from './limits.ts';
import { type AuditFilter, type AuditPlace, auditPage } from './queries.ts';

const Entry = Type.Object({
  id: Id,
  at: Time,
  actorId: nullable(Id),
  actor: nullable(Type.String({ description: 'the name at that time; null: nobody was signed in' })),
  apiKey: nullable(Type.String({ description: 'the prefix of the key that was used' })),
  network: nullable(Type.String()),
  action: Type.String({ description: 'noun.verb, as in member.removed' }),
  subject: nullable(Type.String()),
  details: Type.Object({}, { additionalProperties: true }),
});

const Filter = {
  actorId: Type.Optional(Id),
  action: Type.Optional(
    Type.String({
      maxLength: AUDIT_ACTION_CHARS_MAX,
      pattern: '^[a-z0-9-]+\\.[a-z0-9-]+$',
      description: 'as in member.removed',
    }),
  ),
  from: Type.Optional(Type.String({ ...Day, description: 'the first day, YYYY-MM-DD' })),
  to: Type.Optional(Type.String({ ...Day, description: 'the last day, included' })),
  timeZone: Type.Optional(
    Type.String({
      maxLength: TIME_ZONE_CHARS_MAX,
      description: 'whose days these are, for example Europe/Berlin; UTC without one',
    }),
  ),
};

const EXPORT_HEADER = ['at', 'actor', 'actor id', 'api key', 'network', 'action', 'subject', 'details'] as const;

export function routes(api: App, { cursors, actions, exports }: ApiContext): void {
  const tags = ['audit'];

  api.get(
    '/audit-log',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'listAuditLog',
        summary: 'Who did what in the organisation, newest first',
        tags,
        querystring: Type.Object({ ...PageQuery, ...Filter }, closed),
        response: { 200: pageSchema(Entry) },
      },
    },
    async ({ db, user, query }) => {
      const filter = toFilter(query);
      const page = await cursors.page(
        `audit-log ${filter.actorId ?? ''} ${filter.action ?? ''} ${filter.from} ${filter.to}`,
        query,
        (after: AuditPlace | undefined, rows) =>
          db.read((reader) => auditPage(reader, user.orgId, filter, after, rows)),
        placeOf,
      );
      return { ...page, items: page.items.map(toEntry) };
    },
  );

  api.get(
    '/audit-log/actions',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'listAuditActions',
        summary: 'What can be in the audit log, and what it says',
        tags,
        response: {
          200: Type.Object({ actions: Type.Array(Type.Object({ action: Type.String(), says: Type.String() })) }),
        },
      },
    },
    async () => ({ actions: Object.entries(actions).map(([action, says]) => ({ action, says })) }),
  );

  api.get(
    '/exports/audit-log.csv',
    {
      config: { role: 'admin', requestMs: EXPORT_MS },
      schema: {
        operationId: 'exportAuditLog',
        summary: 'The audit log as CSV, streamed, newest first',
        description: 'The export is an entry of the log itself.',
        tags,
        querystring: Type.Object(Filter, closed),
        response: { 200: { content: { 'text/csv': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const { db, user, query } = request;
      const filter = toFilter(query);
      return exports.run(user.orgId, async (place) => {
        if (request.method !== 'HEAD')
          await db.write((transaction) =>
            writeAudit(transaction, actorOf(request), { action: 'audit-log.exported', details: { ...query } }),
          );
        const pages = eachPage(
          (after) =>
            db.read((reader) =>
              auditPage(reader, user.orgId, filter, after as AuditPlace | undefined, EXPORT_PAGE_ROWS),
            ),
          placeOf,
          EXPORT_PAGE_ROWS,
        );
        return sendCsv(reply, 'audit-log.csv', EXPORT_HEADER, csvRows(pages), place);
      });
    },
  );
}

type AuditRow = Awaited<ReturnType<typeof auditPage>>[number];

const placeOf = ({ created_at, id }: AuditRow): AuditPlace => [created_at, id];

function toEntry({ created_at, actor_id, api_key, ...row }: AuditRow) {
  return { ...row, at: created_at, actorId: actor_id, apiKey: api_key };
}

interface FilterQuery {
  actorId?: number;
  action?: string;
  from?: string;
  to?: string;
  timeZone?: string;
}

function toFilter({ actorId, action, from = '1970-01-01', to = '2999-12-31', timeZone }: FilterQuery): AuditFilter {
  refuseBackwards({ from, to });
  return {
    actorId,
    action,
    from: startOfDay(from, timeZone).toISOString(),
    to: endOfDay(to, timeZone).toISOString(),
  };
}

async function* csvRows(pages: AsyncIterable<AuditRow[]>): AsyncGenerator<CsvValue[][]> {
  for await (const page of pages)
    yield page.map((row) => [
      row.created_at,
      row.actor,
      row.actor_id,
      row.api_key,
      row.network,
      row.action,
      row.subject,
      JSON.stringify(row.details),
    ]);
}
