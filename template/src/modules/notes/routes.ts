import { Type } from 'typebox';
import type { IdPlace } from '../../../../src/db/keyset-pagination.ts';
import { eachPage } from '../../../../src/db/streaming-export.ts';
import type { App } from '../../../../src/http/app.ts';
import { sendCsv } from '../../../../src/http/csv-reply.ts';
import { etagOf, versionOf } from '../../../../src/http/optimistic-concurrency.ts';
import { closed, Id, IdParams, PageQuery, pageSchema, Time } from '../../../../src/http/schemas.ts';
import { EXPORT_MS, EXPORT_PAGE_ROWS } from '../../../../src/limits.ts';
import { actorOf } from '../../../../src/modules/audit/audit.ts';
import type { ApiContext } from '../../../../src/modules/faces.ts';
import { NOTE_BODY_CHARS_MAX, NOTE_TITLE_CHARS_MAX } from './limits.ts';
import { changeNote, noSuchNote, writeNote } from './notes.ts';
import { type Note as NoteRow, noteById, notesAfter, notesPage } from './queries.ts';

const Title = Type.String({ minLength: 1, maxLength: NOTE_TITLE_CHARS_MAX, pattern: '\\S' });
const Body = Type.String({ maxLength: NOTE_BODY_CHARS_MAX });
const Status = Type.Enum(['open', 'done']);

const Note = Type.Object({
  id: Id,
  title: Type.String(),
  body: Type.String(),
  status: Status,
  version: Type.Integer(),
  createdAt: Time,
  updatedAt: Time,
});

const EXPORT_HEADER = ['title', 'body', 'status', 'created', 'changed'];

export function routes(api: App, { cursors, exports }: ApiContext): void {
  const tags = ['notes'];
  api.tagThing('/notes/:id', { lockTag: versionOf('notes'), coversAnswer: true });

  api.get(
    '/notes',
    {
      schema: {
        summary: 'Notes, newest first',
        tags,
        querystring: Type.Object({ ...PageQuery, status: Type.Optional(Status) }, closed),
        response: { 200: pageSchema(Note) },
      },
    },
    async ({ db, user, query }) => {
      const { status } = query;
      return cursors.page(
        `notes ${status ?? ''}`,
        query,
        (before: IdPlace | undefined, rows) =>
          db.read((reader) => notesPage(reader, user.orgId, { status }, before, rows)),
        ({ id }) => [id],
      );
    },
  );

  api.post(
    '/notes',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Write a note',
        tags,
        body: Type.Object({ title: Title, body: Type.Optional(Body) }, closed),
        response: { 201: Note },
      },
    },
    async (request, reply) => {
      const { title, body = '' } = request.body;
      const note = await writeNote(request.db, actorOf(request), { title, body });
      return reply.code(201).header('etag', etagOf(note.version)).send(note);
    },
  );

  api.get(
    '/notes/:id',
    { schema: { summary: 'A note', tags, params: IdParams, response: { 200: Note } } },
    async ({ db, user, params }, reply) => {
      const note = await db.read((reader) => noteById(reader, user.orgId, params.id));
      if (note === undefined) throw noSuchNote();
      return reply.header('etag', etagOf(note.version)).send(note);
    },
  );

  api.patch(
    '/notes/:id',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Change a note',
        tags,
        params: IdParams,
        body: Type.Partial(Type.Object({ title: Title, body: Body, status: Status }), closed),
        response: { 200: Note },
      },
    },
    async (request, reply) => {
      const { db, params, body } = request;
      const note = await changeNote(db, actorOf(request), params.id, body);
      return reply.header('etag', etagOf(note.version)).send(note);
    },
  );

  api.get(
    '/exports/notes.csv',
    {
      config: { role: 'admin', requestMs: EXPORT_MS },
      schema: {
        summary: 'All notes as CSV, streamed',
        tags,
        response: { 200: { content: { 'text/csv': { schema: Type.String() } } } },
      },
    },
    async ({ db, user }, reply) => {
      const pages = eachPage<NoteRow>(
        (after) => db.read((reader) => notesAfter(reader, user.orgId, after as IdPlace | undefined, EXPORT_PAGE_ROWS)),
        ({ id }) => [id],
        EXPORT_PAGE_ROWS,
      );
      // The slot is held until the whole response has been sent, not only until the handler returns.
      return exports.run(user.orgId, (place) => sendCsv(reply, 'notes.csv', EXPORT_HEADER, csvRows(pages), place));
    },
  );
}

async function* csvRows(pages: AsyncIterable<NoteRow[]>) {
  for await (const page of pages)
    yield page.map(({ title, body, status, createdAt, updatedAt }) => [title, body, status, createdAt, updatedAt]);
}
