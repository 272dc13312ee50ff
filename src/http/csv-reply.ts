/**
 * What it is: rows as a CSV file (RFC 4180, UTF-8 with a byte order mark, so that spreadsheets read it), streamed.
 * What fails without it: a text that begins with = runs as a formula in the reader's spreadsheet (CSV injection). So
 *   does one behind a semicolon, a tab or a line break inside a text, where the reader's separator is not a comma.
 * How it works: an apostrophe goes before every place at which some separator's reading would begin a cell with =, +,
 *   - or @ (their full-width forms too, and behind spaces and quotes). `textOfCell` takes exactly those away again.
 *   A client that reads a few bytes now and then is cut off, since it has one of a few places meanwhile, and one that
 *   reads nothing for a moment gives its place up to others (src/http/exports.ts).
 * What it costs: a pass over texts that have such a character, and a timer.
 * Its bound: the caller's pages, EXPORT_PIECE_BYTES, EXPORT_WINDOW_MS, EXPORT_WINDOW_BYTES_MIN, EXPORT_STALLED_MS.
 * Its proof: test/http/csv-reply.test.ts.
 */
import type { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { EXPORT_PIECE_BYTES, EXPORT_STALLED_MS, EXPORT_WINDOW_BYTES_MIN, EXPORT_WINDOW_MS } from '../limits.ts';
import type { ExportPlace } from './exports.ts';

/**
 * Sends rows as fast as the client reads. Resolves when the response has been sent or the connection is closed, and no
 * query for it is running any more: until then the caller holds its slot. A HEAD request gets the headers without a
 * single query: the framework would read the whole export for it, as fast as it can, after the answer has gone.
 */
export async function sendCsv(
  reply: FastifyReply,
  fileName: string,
  header: readonly string[],
  pages: AsyncIterable<readonly CsvValue[][]>,
  place?: ExportPlace,
): Promise<FastifyReply> {
  if (reply.sent || reply.raw.destroyed) return reply; // the client has gone, or was told that this took too long
  const isWanted = reply.request.method !== 'HEAD';
  const cutOff = () => void reply.raw.destroy();
  const closed = once(reply.raw, 'close');
  const texts = csvLines(header, place?.inTurn(pages) ?? pages);
  const lines = Readable.from(isWanted ? paced(texts, closed, cutOff, place) : []);
  const sent = Promise.all([once(lines, 'close'), closed]);
  await reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${fileName}"`)
    .send(lines);
  await sent;
  return reply;
}

/** Errors come before it. */
function once(stream: EventEmitter, event: string): Promise<unknown> {
  return new Promise((resolve) => stream.once(event, resolve));
}

/**
 * Piece by piece, until all of it is handed over and `closed` as well. Calls `cutOff` when the reader, and not the source,
 * has taken most of a window for too little.
 */
async function* paced(
  texts: AsyncIterable<string>,
  closed: Promise<unknown>,
  cutOff: () => void,
  place?: ExportPlace,
): AsyncGenerator<Buffer> {
  let [taken, waitedMs] = [0, 0];
  let waitsSince: number | undefined;
  const waitsMs = () => (waitsSince === undefined ? 0 : performance.now() - waitsSince);
  place?.watch({ isStalled: () => waitsMs() > EXPORT_STALLED_MS, cutOff });
  const timer = setInterval(() => {
    if (waitedMs + waitsMs() > EXPORT_WINDOW_MS / 2 && taken < EXPORT_WINDOW_BYTES_MIN) cutOff();
    [taken, waitedMs] = [0, 0];
    if (waitsSince !== undefined) waitsSince = performance.now();
  }, EXPORT_WINDOW_MS);
  try {
    for await (const text of texts) {
      const bytes = Buffer.from(text);
      for (let from = 0; from < bytes.length; from += EXPORT_PIECE_BYTES) {
        const piece = bytes.subarray(from, from + EXPORT_PIECE_BYTES);
        waitsSince = performance.now();
        yield piece;
        waitedMs += waitsMs();
        waitsSince = undefined;
        taken += piece.length;
      }
    }
    waitsSince = performance.now(); // for the reader to take the last piece
  } finally {
    closed.finally(() => clearInterval(timer));
  }
}

export type CsvValue = string | number | null;

export async function* csvLines(
  header: readonly string[],
  pages: AsyncIterable<readonly CsvValue[][]>,
): AsyncGenerator<string> {
  yield `\uFEFF${csvLine(header)}`;
  for await (const page of pages) yield page.map(csvLine).join('');
}

export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(csvField).join(',')}\r\n`;
}

/** The text that `csvLine` was given, from what a reader of the file finds in the cell. */
export function textOfCell(cell: string): string {
  return cell.includes("'") && FORMULA_SIGN.test(cell)
    ? beforeFormulas(cell, (text) => text.replace(DEFUSED, '$1'))
    : cell;
}

function csvField(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const harmless = FORMULA_SIGN.test(value) ? beforeFormulas(value, (text) => text.replace(CELL_START, "$&'")) : value;
  return NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Every separator that a spreadsheet may be set to, and what a line may end with. */
const NEEDS_QUOTES = /[",;|\t\r\n\v\f\x85\u2028\u2029]|^\s|\s$/;
const FORMULA_SIGN = /[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212]/;
const CELL_START = /[,;|\t\r\n\v\f\x85\u2028\u2029]/g;
const DEFUSED = /([,;|\t\r\n\v\f\x85\u2028\u2029])'/g;
/** Spaces, quotes and invisible characters in front do not keep every spreadsheet from running it. */
const RUN = new RegExp(String.raw`[\s"'\p{Cc}\p{Cf}]+${FORMULA_SIGN.source}?|${FORMULA_SIGN.source}`, 'gu');

/**
 * Changes what leads to a sign, from the character before it on. Run by run: to look ahead for the sign at each of
 * thousands of separators would take the square of their number.
 */
function beforeFormulas(text: string, change: (text: string) => string): string {
  return text.replace(RUN, (run, at: number) => {
    const before = at === 0 ? '\n' : text[at - 1];
    return FORMULA_SIGN.test(run.at(-1) as string) ? change(`${before}${run}`).slice(1) : run;
  });
}
