/**
 * Reads employees from the CSV that spreadsheets save, in any of the ways of docs/modules/employees/import-files.md.
 * Read as a stream: memory does not grow with the file.
 */
import type { Readable } from 'node:stream';
import { type Info, parse } from 'csv-parse';
import { AppError } from '../../errors.ts';
import { createLineEnds, isBlank, type Lost, loseEndlessRow, parserOptions, rowOf } from './csv-parser.ts';
import {
  type Choices,
  createHeaderTest,
  createOtherHeaderTest,
  isPersonAboveHeader,
  isPlaceholder,
  type Reading,
  readingOf,
} from './csv-reading.ts';
import { type EmployeeRow, type RejectedRow, toEmployee } from './employee-row.ts';
import { IMPORT_BYTES_MAX, IMPORT_ROWS_MAX, IMPORT_SNIFF_BYTES } from './limits.ts';

/**
 * Yields every row, valid or rejected. Throws AppError before the first row when the file is not a CSV file, lacks a
 * column, or needs a choice that `choices` does not make; and after the last good row when a row never ends: the parser
 * cannot tell where the next one begins. `onReading` hears how the file is read before its first row is.
 */
export async function* readEmployees(
  file: Readable,
  choices: Choices = {},
  onReading: (reading: Reading) => void = () => {},
): AsyncGenerator<EmployeeRow | RejectedRow> {
  const chunks = bounded(file);
  try {
    const { head, rest } = await sniff(chunks);
    const reading = await readingOf(head, choices);
    onReading(reading);
    yield* readRows(reading, head, rest);
  } finally {
    // Unread data is still in the connection: left there, it would block the next request on it.
    chunks.return(undefined).then(
      () => file.resume(),
      () => undefined,
    );
  }
}

async function* readRows(
  reading: Reading,
  head: Buffer,
  rest: AsyncGenerator<Buffer>,
): AsyncGenerator<EmployeeRow | RejectedRow> {
  const { delimiter, header } = reading;
  const linesBefore = reading.prefix === '' ? 0 : 1;
  const isHeaderAgain = createHeaderTest(reading);
  const isOtherHeader = createOtherHeaderTest(reading);
  const lost: Lost = {};
  const parser = parse(parserOptions(delimiter, lost));
  const fed = feed(parser, textOf(reading, head, rest), lost);
  fed.catch((error) => parser.destroy(error)); // surfaces below, where the rows are read

  let rows = 0;
  let line = linesBefore;
  for await (const parsed of parser as AsyncIterable<{ record: string[]; info: Info }>) {
    const row = rowOf(parsed, linesBefore);
    line = row.endLine;
    const isAbove = header !== undefined && line <= header.endLine; // or the header itself
    if (isAbove && !isPersonAboveHeader(row, reading)) continue;
    if (isBlank(row.cells) || isPlaceholder(row, reading.columns) || isHeaderAgain(row)) continue;
    if (isOtherHeader(row))
      throw new AppError(
        'invalid',
        `Line ${row.line} is the header line of another table, with its columns in other places. The rows before it were imported. Send the other table as a file of its own.`,
      );
    if (++rows > IMPORT_ROWS_MAX)
      throw new AppError('too_large', `The file has more than ${IMPORT_ROWS_MAX} rows. Split it into smaller files.`);
    yield toEmployee(row, reading);
  }
  await fed;
  if (lost.reason !== undefined)
    throw new AppError(
      'invalid',
      `The row after line ${line} ${lost.reason}. The rows before it were imported. Fix the row and send the whole file again; no one is added twice.`,
    );
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

/** The head is of one size, whatever the chunks: the same file is always read in the same way. */
async function sniff(chunks: AsyncGenerator<Buffer>): Promise<{ head: Buffer; rest: AsyncGenerator<Buffer> }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  while (bytes < IMPORT_SNIFF_BYTES) {
    const next = await chunks.next();
    if (next.done === true) break;
    parts.push(next.value);
    bytes += next.value.length;
  }
  const read = Buffer.concat(parts);
  return { head: read.subarray(0, IMPORT_SNIFF_BYTES), rest: withFirst(read.subarray(IMPORT_SNIFF_BYTES), chunks) };
}

async function* withFirst(first: Buffer, others: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* others;
}

/** The file as text, with one kind of line end. */
async function* textOf(reading: Reading, head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder(reading.encoding.encoding);
  const toLineFeeds = createLineEnds();
  yield toLineFeeds(decoder.decode(head, { stream: true })).slice(reading.prefix.length);
  for await (const chunk of rest) yield toLineFeeds(decoder.decode(chunk, { stream: true }));
  yield toLineFeeds(decoder.decode());
}

/**
 * Waits while the parser's buffer is full, so backpressure reaches from the reader of the rows to the client's socket.
 */
async function feed(parser: ReturnType<typeof parse>, texts: AsyncGenerator<string>, lost: Lost): Promise<void> {
  for await (const text of texts) {
    if (text !== '' && !parser.write(text) && !parser.destroyed) await drained(parser);
    if (parser.destroyed) throw new Error('The rows are no longer read');
    loseEndlessRow(parser, lost);
    if (lost.reason !== undefined) break;
  }
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
