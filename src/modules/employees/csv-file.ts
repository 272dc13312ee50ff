/**
 * Reads employees from the CSV that spreadsheets save: commas, semicolons or tabs; with or without a BOM; UTF-8, UTF-16
 * or the Windows code page; CRLF or LF; quotes. Read as a stream: memory does not grow with the file.
 */
import type { Readable } from 'node:stream';
import { type Info, parse } from 'csv-parse';
import { AppError } from '../../errors.ts';
import { NAME_CHARS_MAX } from '../../limits.ts';
import { parseAddress } from '../../mail-address.ts';
import { IMPORT_BYTES_MAX, IMPORT_LINE_BYTES_MAX, IMPORT_ROWS_MAX, IMPORT_SNIFF_BYTES } from './limits.ts';

export interface EmployeeRow {
  readonly line: number;
  readonly email: string;
  readonly name: string;
  readonly team: string;
}

export interface RejectedRow {
  readonly line: number;
  readonly reason: string;
}

const TEAM_OF_NOBODY = 'General';

/**
 * Yields every row, valid or rejected. Throws AppError before the first row when the file is not a CSV file or lacks a
 * column, and after the last good row when a row never ends: the parser cannot tell where the next one begins.
 */
export async function* readEmployees(file: Readable): AsyncGenerator<EmployeeRow | RejectedRow> {
  const chunks = bounded(file);
  try {
    yield* readRows(chunks);
  } finally {
    // Unread data is still in the connection: left there, it would block the next request on it.
    chunks.return(undefined).then(
      () => file.resume(),
      () => undefined,
    );
  }
}

async function* readRows(chunks: AsyncGenerator<Buffer>): AsyncGenerator<EmployeeRow | RejectedRow> {
  const { head, rest } = await sniff(chunks);
  refuseOtherFormats(head);
  const decoder = new TextDecoder(encodingOf(head));
  const delimiter = delimiterOf(new TextDecoder(encodingOf(head)).decode(head, { stream: true }));

  let endless: string | undefined;
  const parser = parse({
    delimiter,
    info: true,
    bom: true,
    ltrim: true, // not rtrim: with it the parser silently drops any text after a closing quote
    relax_column_count: true,
    relax_quotes: true, // otherwise one quote inside a name would swallow every row up to the next quote
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: IMPORT_LINE_BYTES_MAX,
    on_skip(error) {
      endless ??= ENDLESS[codeOf(error)] ?? 'cannot be parsed';
    },
  });
  const fed = feed(parser, head, rest, decoder, () => endless !== undefined);
  fed.catch((error) => parser.destroy(error)); // surfaces below, where the rows are read

  let columns: Columns | undefined;
  let rows = 0;
  let line = 0;
  for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
    line = info.lines;
    if (columns === undefined) {
      columns = columnsOf(record);
      continue;
    }
    if (++rows > IMPORT_ROWS_MAX)
      throw new AppError('too_large', `The file has more than ${IMPORT_ROWS_MAX} rows. Split it into smaller files.`);
    yield toEmployee(record, info.lines, columns);
  }
  await fed;
  if (endless !== undefined)
    throw new AppError(
      'invalid',
      `The row after line ${line} ${endless}. The rows before it were imported. Fix the row and send the whole file again; no one is added twice.`,
    );
  if (columns === undefined)
    throw new AppError('invalid', 'The file is empty. It needs a header line: name, email, team.');
}

async function* bounded(file: Readable): AsyncGenerator<Buffer> {
  let bytes = 0;
  // A handler that stops reading early must still be able to respond: destroying the request would close its
  // connection.
  for await (const chunk of file.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > IMPORT_BYTES_MAX) {
      throw new AppError(
        'too_large',
        `The file is larger than ${IMPORT_BYTES_MAX / 1024 / 1024} MB. Split it into smaller files; no one is added twice.`,
      );
    }
    yield chunk;
  }
}

async function sniff(chunks: AsyncGenerator<Buffer>): Promise<{ head: Buffer; rest: AsyncGenerator<Buffer> }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  while (bytes < IMPORT_SNIFF_BYTES) {
    const next = await chunks.next();
    if (next.done === true) break;
    parts.push(next.value);
    bytes += next.value.length;
  }
  return { head: Buffer.concat(parts), rest: chunks };
}

const KNOWN_FORMATS: readonly [string, string][] = [
  ['89504e47', 'a PNG picture'],
  ['ffd8ff', 'a JPEG picture'],
  ['47494638', 'a GIF picture'],
  ['25504446', 'a PDF document'],
  ['504b0304', 'an Excel workbook or another ZIP file'],
  ['d0cf11e0', 'an old Excel workbook'],
];

function refuseOtherFormats(head: Buffer): void {
  const known = KNOWN_FORMATS.find(([magic]) => head.toString('hex', 0, magic.length / 2) === magic);
  const binary = !isUtf16(head) && head.includes(0);
  if (known === undefined && !binary) return;
  throw new AppError(
    'unsupported',
    `This is ${known?.[1] ?? 'a binary file'}, not a CSV file. Save the table as CSV and send that instead. Nothing was imported.`,
  );
}

function isUtf16(head: Buffer): boolean {
  return head.length >= 2 && head[0] === 0xff && head[1] === 0xfe;
}

function encodingOf(head: Buffer): string {
  if (isUtf16(head)) return 'utf-16le';
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true }); // `stream`: the head may end inside a character
    return 'utf-8';
  } catch {
    return 'windows-1252'; // how spreadsheets on Windows save "CSV" with accented letters
  }
}

function delimiterOf(text: string): string {
  const header = text.slice(0, text.search(/[\r\n]|$/));
  const count = (delimiter: string) => header.split(delimiter).length;
  return [';', '\t', ','].reduce((best, candidate) => (count(candidate) > count(best) ? candidate : best), ',');
}

/**
 * Waits while the parser's buffer is full, so backpressure reaches from the reader of the rows to the client's socket.
 */
async function feed(
  parser: ReturnType<typeof parse>,
  head: Buffer,
  rest: AsyncGenerator<Buffer>,
  decoder: TextDecoder,
  enough: () => boolean,
): Promise<void> {
  const write = async (text: string) => {
    if (text !== '' && !parser.write(text) && !parser.destroyed) await drained(parser);
    if (parser.destroyed) throw new Error('The rows are no longer read');
  };
  await write(decoder.decode(head, { stream: true }));
  for await (const chunk of rest) {
    await write(decoder.decode(chunk, { stream: true }));
    if (enough()) break;
  }
  await write(decoder.decode());
  parser.end();
}

function drained(parser: ReturnType<typeof parse>): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      parser.off('drain', go).off('close', go);
      resolve();
    };
    parser.on('drain', go).on('close', go);
  });
}

interface Columns {
  readonly email: number;
  readonly name: number;
  readonly team: number;
}

function columnsOf(header: string[]): Columns {
  const index = (...names: string[]) =>
    header.findIndex((title) => names.includes(title.toLowerCase().replace(/[\s_-]/g, '')));
  const columns = {
    email: index('email', 'mail', 'emailaddress', 'workemail'),
    name: index('name', 'fullname', 'employee', 'employeename'),
    team: index('team', 'department', 'group'),
  };
  const missing = (['name', 'email'] as const).filter((column) => columns[column] === -1);
  if (missing.length > 0) {
    const found = header
      .map((title) => title.slice(0, 30))
      .slice(0, 10)
      .join(', ');
    throw new AppError(
      'invalid',
      `The header line has no column ${missing.join(' and no column ')}. Found: ${found}. Required: name and email; team is optional.`,
    );
  }
  return columns;
}

function toEmployee(record: string[], line: number, columns: Columns): EmployeeRow | RejectedRow {
  const email = (record[columns.email] ?? '').trim();
  const name = (record[columns.name] ?? '').trim();
  const team = (columns.team === -1 ? '' : (record[columns.team] ?? '').trim()) || TEAM_OF_NOBODY;
  if (record.some((field) => field.includes('\uFFFD')))
    return { line, reason: 'contains characters that are not valid UTF-8' };
  if (record.some((field) => field.includes('\0'))) return { line, reason: 'contains a NUL character' };
  if (name === '') return { line, reason: 'has no name' };
  if (email === '') return { line, reason: 'has no email address' };
  const parsed = parseAddress(email);
  if ('fault' in parsed)
    return { line, reason: `"${email.slice(0, 60).toWellFormed()}" is not an email address: it ${parsed.fault}` };
  if (name.length > NAME_CHARS_MAX) return { line, reason: `the name is longer than ${NAME_CHARS_MAX} characters` };
  if (team.length > NAME_CHARS_MAX) return { line, reason: `the team is longer than ${NAME_CHARS_MAX} characters` };
  return { line, email: parsed.address, name, team };
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? '';
}

/** After any of these errors the parser drops the rest of its buffer, and its place in the file is lost. */
const ENDLESS: Readonly<Record<string, string>> = {
  CSV_MAX_RECORD_SIZE: `is longer than ${IMPORT_LINE_BYTES_MAX / 1024} kB (is a quote left open?)`,
  CSV_QUOTE_NOT_CLOSED: 'opens a quote that is never closed',
};
