import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import { AppError, overloaded } from '../../errors.ts';
import { createFairPlaces } from '../../flow/fair-places.ts';
import type { App } from '../../http/app.ts';
import { closed, Id, IdParams, Name, named, nullable, PageQuery, pageSchema, Time } from '../../http/schemas.ts';
import { endBody } from '../../http/slow-client.ts';
import { NAME_CHARS_MAX, UPLOAD_MS } from '../../limits.ts';
import { toSearch } from '../../mail-address.ts';
import { tidyLine } from '../../text.ts';
import { actorOf } from '../audit/audit.ts';
import type { ApiContext } from '../faces.ts';
import { importEmployees } from './employees.ts';
import { erasePerson, exportPerson } from './erasure.ts';
import { previewImport } from './import-preview.ts';
import { importById, importsPage, insertImport } from './import-queries.ts';
import { ChoicesQuery, choicesOf, Import, Preview } from './import-schemas.ts';
import { IMPORT_SNIFF_BYTES, IMPORTS_AT_ONCE_MAX, IMPORTS_OF_ORGANISATION_MAX, PERSON_ROWS_MAX } from './limits.ts';
import { employeesPage } from './queries.ts';
import { employeesFound, type FoundPlace } from './search.ts';
import { teams } from './team-queries.ts';

const Employee = Type.Object({
  id: Id,
  name: Type.String(),
  email: Type.String(),
  team: named,
  unsubscribedAt: nullable(Time),
  createdAt: Time,
});

const CSV_TYPES = [
  ...['text/csv', 'application/csv', 'text/x-csv', 'text/comma-separated-values', 'text/tab-separated-values'],
  ...['application/vnd.ms-excel', 'text/plain', 'application/octet-stream'],
];
const NO_PARTS = 'Send the whole file at once: a part of it, with Content-Range, is not taken. Nothing was imported.';
const NO_BODY = 'Send the file as the body, with Content-Type: text/csv.';

export function routes(api: App, { cursors, person }: ApiContext): void {
  const tags = ['employees'];
  const imports = createFairPlaces({ places: IMPORTS_AT_ONCE_MAX, perKey: IMPORTS_OF_ORGANISATION_MAX });

  api.get(
    '/employees',
    {
      schema: {
        summary: 'Employees, oldest first; search results are ordered by the matched text',
        tags,
        querystring: Type.Object(
          {
            ...PageQuery,
            search: Type.Optional(
              Type.String({ maxLength: NAME_CHARS_MAX, description: 'the beginning of a name or an address' }),
            ),
            teamId: Type.Optional(Id),
          },
          closed,
        ),
        response: { 200: pageSchema(Employee) },
      },
    },
    async ({ db, user, query }) => {
      const { teamId } = query;
      const search = toSearch(tidyLine(query.search ?? '')) || undefined;
      const list = `employees ${teamId ?? ''} ${search ?? ''}`;
      if (search === undefined) {
        return cursors.page(
          list,
          query,
          (after: IdPlace | undefined, rows) =>
            db.read((reader) => employeesPage(reader, user.orgId, { teamId }, after, rows)),
          ({ id }) => [id],
        );
      }
      return cursors.page(
        list,
        query,
        (after: FoundPlace | undefined, rows) =>
          db.read((reader) => employeesFound(reader, user.orgId, { search, teamId }, after, rows)),
        ({ key, id }) => [key, id],
      );
    },
  );

  api.get(
    '/employees/:id/personal-data',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'exportEmployee',
        summary: 'Everything that is held about one employee',
        description: `By table, up to ${PERSON_ROWS_MAX} rows of each. Reports of imports, which quote lines of files as they were written, are not in it. Whoever reads it is in the audit log.`,
        tags,
        params: IdParams,
        response: { 200: Type.Object({}, { additionalProperties: Type.Array(Type.Unknown()) }) },
      },
    },
    async (request, reply) => {
      reply.header('content-disposition', `attachment; filename="employee-${request.params.id}.json"`);
      return exportPerson(request.db, person, actorOf(request), request.params.id);
    },
  );

  api.delete(
    '/employees/:id',
    {
      config: { role: 'admin', scope: 'none' },
      schema: {
        operationId: 'eraseEmployee',
        summary: 'Erase one employee, with everything that is held about them',
        description:
          'Cannot be undone. Reports of imports lose the reasons and titles that may quote the person, and keep their counts and lines. Figures of whole teams stay: they name nobody. So does a suppression of their address, which must not be sent mail.',
        tags,
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await erasePerson(request.db, actorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );

  api.get(
    '/teams',
    {
      schema: {
        summary: 'All teams',
        tags,
        response: {
          200: Type.Object({
            items: Type.Array(Type.Object({ id: Id, name: Type.String(), employees: Type.Integer() })),
          }),
        },
      },
    },
    async ({ db, user }) => ({ items: await db.read((reader) => teams(reader, user.orgId)) }),
  );

  api.post(
    '/imports',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Create an import, whose file is sent next',
        tags,
        body: Type.Object({ fileName: Name }, { ...closed, examples: [{ fileName: 'people.csv' }] }),
        response: { 201: Import },
      },
    },
    async ({ db, user, body }, reply) =>
      reply.code(201).send(await db.write((transaction) => insertImport(transaction, user.orgId, body.fileName))),
  );

  api.register(async (previews) => {
    previews.removeAllContentTypeParsers();
    for (const type of CSV_TYPES) {
      previews.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    }
    refuseOtherTypes(previews);
    (previews as unknown as App).post(
      '/imports/preview',
      {
        bodyLimit: IMPORT_SNIFF_BYTES,
        config: { role: 'admin' },
        schema: {
          summary: 'See how a file would be read',
          description: `Send the first ${IMPORT_SNIFF_BYTES / 1024} kB of the file. Nothing is written. What a preview cannot tell by itself is its \`problem\`: choose, and ask again with the same choices that the import will be sent with.`,
          tags,
          consumes: ['text/csv'],
          querystring: ChoicesQuery,
          body: Type.Any({ description: 'The beginning of the file' }),
          response: { 200: Preview },
        },
      },
      async (request) => {
        if (!Buffer.isBuffer(request.body)) throw new AppError('invalid', NO_BODY);
        return previewImport(request.body, choicesOf(request));
      },
    );
  });

  // The only route with a streamed body: the content type parser passes the stream on instead of buffering it.
  api.register(async (upload) => {
    upload.removeAllContentTypeParsers();
    for (const type of CSV_TYPES) {
      upload.addContentTypeParser(type, (_request, payload, done) => done(null, payload));
    }
    refuseOtherTypes(upload);
    (upload as unknown as App).put(
      '/imports/:id/file',
      {
        config: { role: 'admin', requestMs: UPLOAD_MS },
        schema: {
          summary: 'Send the file of an import (text/csv)',
          description:
            'Columns: name, email, team. How the file is to be read is found out from its beginning, unless it is chosen here; POST /api/v1/imports/preview shows it before anything is written. Responds when the whole file has been read; GET /api/v1/imports/{id} shows the progress meanwhile.',
          tags,
          consumes: ['text/csv'],
          params: IdParams,
          querystring: ChoicesQuery,
          body: Type.Any({ description: 'The file, as a spreadsheet saves it' }),
          response: { 200: Import },
        },
      },
      async (request) => {
        const { db, user, params, headers } = request;
        // RFC 9110, 14.4. The next part would find the import done.
        if (headers['content-range'] !== undefined) throw new AppError('invalid', NO_PARTS);
        if ((await db.read((reader) => importById(reader, user.orgId, params.id))) === undefined) throw noSuchImport();
        if (request.body === undefined || request.body === null) throw new AppError('invalid', NO_BODY);
        const leave = imports.enter(String(user.orgId), () => endBody(request.raw, overloaded('imports')));
        if (leave === undefined) throw overloaded('imports');
        try {
          await importEmployees(db, actorOf(request), params.id, request.body as Readable, choicesOf(request));
        } finally {
          leave();
        }
        return (await db.read((reader) => importById(reader, user.orgId, params.id))) ?? Promise.reject(noSuchImport());
      },
    );
  });

  api.get(
    '/imports/:id',
    { schema: { summary: 'An import and its progress', tags, params: IdParams, response: { 200: Import } } },
    async ({ db, user, params }) => {
      const found = await db.read((reader) => importById(reader, user.orgId, params.id));
      if (found === undefined) throw noSuchImport();
      return found;
    },
  );

  api.get(
    '/imports',
    {
      schema: {
        summary: 'Imports, newest first',
        tags,
        querystring: Type.Object(PageQuery, closed),
        response: { 200: pageSchema(Import) },
      },
    },
    async ({ db, user, query }) => {
      return cursors.page(
        'imports',
        query,
        (before: IdPlace | undefined, rows) => db.read((reader) => importsPage(reader, user.orgId, before, rows)),
        ({ id }) => [id],
      );
    },
  );
}

function noSuchImport(): AppError {
  return new AppError('not_found', 'This import does not exist.');
}

function refuseOtherTypes(scope: FastifyInstance): void {
  scope.addContentTypeParser('*', (request, _payload, done) =>
    done(
      new AppError(
        'unsupported',
        `${request.headers['content-type'] ?? 'A file without a Content-Type'} is not a CSV file. Save the table as CSV and send it as text/csv. Nothing was imported.`,
      ),
    ),
  );
}
