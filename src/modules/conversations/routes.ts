import { Type } from 'typebox';
import { refuseBackwards, startOfDay } from '../../dates.ts';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import { eachPage } from '../../db/streaming-export.ts';
import { AppError } from '../../errors.ts';
import type { App } from '../../http/app.ts';
import { type CsvValue, sendCsv } from '../../http/csv-reply.ts';
import { closed, Day, Id, IdParams, named, nullable, PageQuery, pageSchema, Time } from '../../http/schemas.ts';
import { EXPORT_MS, EXPORT_PAGE_ROWS, TICKET_MS } from '../../limits.ts';
import { TICKET_PROTOCOL } from '../../socket/ticket.ts';
import { whoIs } from '../accounts/accounts.ts';
import { actorOf, writeAudit } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { type AnswerPlace, type ExportedAnswer, exportPage } from './answer-export.ts';
import { canSay, createWatchTicket } from './chat-tickets.ts';
import { conversationById, conversationsPage, reachOutOf } from './queries.ts';

const conversation = {
  id: Id,
  campaign: named,
  employee: named,
  team: named,
  answers: Type.Integer(),
  scored: Type.Integer({ description: 'of the answers: on the scale, or in English' }),
  mood: nullable(Type.Number({ description: 'the mean of the scored answers: -1 (bad) to 1 (good)' })),
  startedAt: Time,
  lastMessageAt: Time,
  finishedAt: nullable(Time),
};

const Message = Type.Object({
  seq: Type.Integer(),
  sender: Type.String({ description: 'bot, employee, or person: somebody of the people team' }),
  author: nullable(Type.String({ description: 'of a person' })),
  body: Type.String(),
  asks: nullable(Type.String({ description: 'of a question: text, or scale (a number from 1 to 5)' })),
  choice: nullable(Type.Integer({ description: 'of an answer on the scale: 1 (low) to 5 (high)' })),
  sentiment: nullable(Type.Number({ description: '-1 (bad) to 1 (good); null for an answer without a score' })),
  scored: Type.Boolean({
    description:
      'false: the score follows within a second or so. With a sentiment of null: the language is not one that is scored',
  }),
  at: Time,
});

const EXPORT_HEADER = ['at', 'campaign', 'team', 'employee', 'email', 'question', 'answer', 'sentiment'] as const;

export function routes(api: App, { cursors, config, database, exports }: ApiContext): void {
  const tags = ['conversations'];

  api.get(
    '/conversations',
    {
      schema: {
        summary: 'Conversations, newest first',
        tags,
        querystring: Type.Object({ ...PageQuery, campaignId: Type.Optional(Id) }, closed),
        response: { 200: pageSchema(Type.Object(conversation)) },
      },
    },
    async ({ db, user, query }) => {
      const { campaignId } = query;
      return cursors.page(
        `conversations ${campaignId ?? ''}`,
        query,
        (before: IdPlace | undefined, rows) =>
          db.read((reader) => conversationsPage(reader, user.orgId, campaignId, before, rows)),
        ({ id }) => [id],
      );
    },
  );

  api.get(
    '/conversations/:id',
    {
      schema: {
        summary: 'A conversation with its messages',
        tags,
        params: IdParams,
        response: { 200: Type.Object({ ...conversation, messages: Type.Array(Message) }) },
      },
    },
    async ({ db, user, params }) => {
      const found = await db.read((reader) => conversationById(reader, user.orgId, params.id));
      if (found === undefined) throw new AppError('not_found', 'This conversation does not exist.');
      return found;
    },
  );

  api.post(
    '/conversations/:id/ticket',
    {
      schema: {
        summary: 'Watch a conversation live',
        description: `A ticket for one WebSocket to \`url\`, within ${TICKET_MS / 1000} seconds: offer the subprotocols \`${TICKET_PROTOCOL}\` and \`${TICKET_PROTOCOL}.<ticket>\`, and send \`{"type":"hello","lastSeq"}\`. Admins may also say something: \`{"type":"say","nonce","text"}\`.`,
        tags,
        params: IdParams,
        response: { 200: Type.Object({ ticket: Type.String(), url: Type.String(), canSay: Type.Boolean() }) },
      },
    },
    async (request) => {
      const { db, user, params } = request;
      const reachOutId = await db.read((reader) => reachOutOf(reader, user.orgId, params.id));
      const person = await whoIs(database, user.orgId, user.userId);
      if (reachOutId === undefined || person === undefined)
        throw new AppError('not_found', 'This conversation does not exist.');
      const invitation = { orgId: user.orgId, reachOutId };
      const watcher = { name: person.user.name, role: user.role, actor: actorOf(request) };
      const ticket = createWatchTicket(config.secretKey, invitation, watcher);
      return { ticket, url: `${config.chatUrl.replace(/^http/, 'ws')}/chat`, canSay: canSay(watcher) };
    },
  );

  api.get(
    '/exports/answers.csv',
    {
      config: { role: 'admin', requestMs: EXPORT_MS },
      schema: {
        summary: 'All answers as CSV, streamed',
        description:
          'Every answer of the days from `from` to `to` (inclusive, UTC), in the order in which they were given: the time in the column `at` decides, so days that are fetched one by one, each some minutes after it has ended, have every answer once. `sentiment` is from -1 (bad) to 1 (good), and empty for an answer that has no score: scores follow the answers by a second or so, and a text in another language than English gets none. Each export is in the audit log.',
        tags,
        querystring: Type.Object({ from: Type.Optional(Day), to: Type.Optional(Day) }, closed),
        response: { 200: { content: { 'text/csv': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      const { db, user, query } = request;
      refuseBackwards(query);
      const range = { from: dayStart(query.from, '1970-01-01'), to: dayAfter(query.to) };
      const pages = eachPage(
        (after) =>
          db.read((reader) =>
            exportPage(reader, user.orgId, range, after as AnswerPlace | undefined, EXPORT_PAGE_ROWS),
          ),
        ({ at, conversation_id, seq }): AnswerPlace => [at, conversation_id, seq],
        EXPORT_PAGE_ROWS,
      );
      // The slot is held until the whole response has been sent, not only until the handler returns.
      const fileName = `answers-${range.from.slice(0, 10)}.csv`;
      return exports.run(user.orgId, async (place) => {
        if (request.method !== 'HEAD')
          await db.write((transaction) =>
            writeAudit(transaction, actorOf(request), { action: 'answers.exported', details: { ...query } }),
          );
        return sendCsv(reply, fileName, EXPORT_HEADER, csvRows(pages), place);
      });
    },
  );
}

async function* csvRows(pages: AsyncIterable<ExportedAnswer[]>): AsyncGenerator<CsvValue[][]> {
  for await (const page of pages) {
    yield page.map((row) => [
      row.at,
      row.campaign,
      row.team,
      row.employee,
      row.email,
      row.question,
      row.body,
      row.sentiment,
    ]);
  }
}

function dayStart(day: string | undefined, fallback: string): string {
  return startOfDay(day ?? fallback).toISOString();
}

/** `to` is inclusive. */
function dayAfter(day: string | undefined): string {
  const start = new Date(dayStart(day, new Date().toISOString().slice(0, 10)));
  start.setUTCDate(start.getUTCDate() + 1);
  return start.toISOString();
}
