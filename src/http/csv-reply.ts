import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/**
 * Streams rows as CSV (RFC 4180, UTF-8 with BOM so that spreadsheets read it) as fast as the client reads. Resolves
 * when the response has been sent or the connection is closed, and no query for it is running any more: until then the
 * caller holds its slot. A HEAD request gets the headers without a single query: the framework would read the whole
 * export for it, as fast as it can, after the answer has gone.
 */
export async function sendCsv(
  reply: FastifyReply,
  fileName: string,
  header: readonly string[],
  pages: AsyncIterable<readonly CsvValue[][]>,
): Promise<FastifyReply> {
  if (reply.sent || reply.raw.destroyed) return reply; // the client has gone, or was told that this took too long
  const isWanted = reply.request.method !== 'HEAD';
  const lines = isWanted ? Readable.from(csvLines(header, pages)) : Readable.from([]);
  const sent = Promise.all([lines, reply.raw].map((stream) => new Promise((resolve) => stream.once('close', resolve))));
  await reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${fileName}"`)
    .send(lines);
  await sent;
  return reply;
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

/** Text that a spreadsheet would run as a formula is escaped with an apostrophe (OWASP: CSV injection). */
function csvField(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
