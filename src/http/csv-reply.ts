import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/**
 * Streams rows as CSV (RFC 4180, UTF-8 with BOM so that spreadsheets read it) as fast as the client reads. Resolves
 * when the response has been sent or the connection is closed: until then the caller holds its slot.
 */
export async function sendCsv(
  reply: FastifyReply,
  fileName: string,
  header: readonly string[],
  pages: AsyncIterable<readonly CsvValue[][]>,
): Promise<FastifyReply> {
  const sent = new Promise<void>((resolve) => reply.raw.once('close', resolve));
  await reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${fileName}"`)
    .send(Readable.from(csvLines(header, pages)));
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
