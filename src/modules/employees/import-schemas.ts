import type { IncomingHttpHeaders } from 'node:http';
import { MIMEType } from 'node:util';
import { type Static, Type } from 'typebox';
import { closed, Id, nullable, Time } from '../../http/schemas.ts';
import type { Choices } from './csv-reading.ts';
import { IMPORT_REJECTIONS_KEPT } from './limits.ts';

const KnownBy = Type.String({ description: 'choice, byte order mark, Content-Type, its bytes or guess' });
const Column = Type.Object({ column: Type.Integer({ description: 'from 1' }), title: nullable(Type.String()) });

export const Import = Type.Object({
  id: Id,
  fileName: Type.String(),
  status: Type.String({ description: 'waiting, running, done or failed' }),
  rowsRead: Type.Integer(),
  rowsAdded: Type.Integer(),
  rowsUpdated: Type.Integer(),
  rowsUnchanged: Type.Integer(),
  rowsRejected: Type.Integer(),
  rejections: Type.Array(Type.Object({ line: Type.Integer(), reason: Type.String() }), {
    description: `the first ${IMPORT_REJECTIONS_KEPT}`,
  }),
  error: nullable(Type.String()),
  reading: nullable(
    Type.Object({
      encoding: Type.String(),
      encodingKnownBy: KnownBy,
      delimiter: Type.String(),
      headerLine: nullable(Type.Integer({ description: 'null: the file has no header line' })),
      columns: Type.Object({ name: Type.Array(Column), email: Column, team: nullable(Column) }),
    }),
  ),
  createdAt: Time,
  finishedAt: nullable(Time),
});

export const Preview = Type.Object({
  encoding: Type.String(),
  encodingKnownBy: KnownBy,
  encodingSure: Type.Boolean({ description: 'false: it must be chosen before the file can be imported' }),
  encodings: Type.Array(Type.String(), { description: 'the choices, the likeliest first' }),
  doubtfulLines: Type.Array(Type.Object({ line: Type.Integer(), text: Type.String() }), {
    description: 'where it can be seen whether the encoding is right: the first lines with what words seldom have',
  }),
  delimiter: Type.String(),
  headerLine: nullable(Type.Integer({ description: 'null: the file has no header line' })),
  titles: Type.Array(Type.String(), { description: 'one per column, empty without a header line' }),
  columns: Type.Object({
    name: Type.Array(Type.Integer(), { description: 'from 1; two for a first and a last name, up to four' }),
    email: nullable(Type.Integer()),
    team: nullable(Type.Integer()),
  }),
  problem: nullable(
    Type.String({ description: 'what must be chosen about the columns, or mended, before the file can be imported' }),
  ),
  rowsRead: Type.Integer(),
  rowsRejected: Type.Integer({ description: 'of rowsRead' }),
  rows: Type.Array(
    Type.Object({
      line: Type.Integer(),
      cells: Type.Array(Type.String()),
      employee: nullable(Type.Object({ name: Type.String(), email: Type.String(), team: Type.String() })),
      rejected: nullable(Type.String()),
    }),
  ),
});

const ColumnNumber = { maximum: 10_000 };
export const ChoicesQuery = Type.Object(
  {
    encoding: Type.Optional(Type.String({ maxLength: 40, description: 'for example windows-1250' })),
    delimiter: Type.Optional(Type.String({ pattern: '^(?:tab|[^"\\r\\n])$', description: 'one character, or tab' })),
    header: Type.Optional(Type.Boolean({ description: 'false: the first line is an employee' })),
    name: Type.Optional(
      Type.String({
        pattern: '^[1-9]\\d{0,3}(?:,[1-9]\\d{0,3}){0,3}$',
        description: 'its column, from 1; or up to four, for example 2,1: they are joined in this order',
      }),
    ),
    email: Type.Optional(Type.Integer({ minimum: 1, ...ColumnNumber })),
    team: Type.Optional(Type.Integer({ minimum: 0, ...ColumnNumber, description: '0: none' })),
  },
  closed,
);

/** Columns count from 1 in the API, and from 0 inside. */
export function choicesOf({
  query,
  headers,
}: {
  query: Static<typeof ChoicesQuery>;
  headers: IncomingHttpHeaders;
}): Choices {
  const { encoding, delimiter, header, name, email, team } = query;
  return {
    encoding,
    delimiter: delimiter === 'tab' ? '\t' : delimiter,
    header,
    name: name?.split(',').map((column) => Number(column) - 1),
    email: email === undefined ? undefined : email - 1,
    team: team === undefined ? undefined : team - 1,
    charset: charsetOf(headers['content-type']),
  };
}

function charsetOf(contentType: string | undefined): string | undefined {
  try {
    return new MIMEType(contentType ?? '').params.get('charset') ?? undefined;
  } catch {
    return undefined; // the content type parsers have already judged the rest of it
  }
}
