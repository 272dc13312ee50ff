import type { Info, Options } from 'csv-parse';
import { IMPORT_LINE_BYTES_MAX } from './limits.ts';

export interface CsvRow {
  /** The line of the file on which the row begins. */
  readonly line: number;
  readonly endLine: number;
  readonly cells: readonly string[];
}

/** The options of csv-parse, for text that went through `toLineFeeds`. `onEndless` hears why a row never ends. */
export function parserOptions(delimiter: string, onEndless: (reason: string) => void): Options {
  let isLost = false;
  return {
    delimiter,
    record_delimiter: '\n',
    info: true,
    ltrim: true, // not rtrim: with it the parser silently drops any text after a closing quote
    relax_column_count: true,
    relax_quotes: true, // otherwise one quote inside a name would swallow every row up to the next quote
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: IMPORT_LINE_BYTES_MAX,
    // Behind such a row the parser goes on with the next chunk, wherever in the file that begins.
    on_record: (record) => (isLost ? null : record),
    on_skip(error): undefined {
      isLost = true;
      onEndless(ENDLESS[codeOf(error)] ?? 'cannot be parsed');
    },
  };
}

/** `linesBefore`: of the file, before what the parser was given. */
export function rowOf({ record, info }: { record: string[]; info: Info }, linesBefore: number): CsvRow {
  const breaks = record.reduce((sum, cell) => (cell.includes('\n') ? sum + cell.split('\n').length - 1 : sum), 0);
  const endLine = info.lines + linesBefore;
  return { line: endLine - breaks, endLine, cells: record };
}

/** Makes every line end a line feed, chunk by chunk: files put together from several have more than one kind. */
export function createLineEnds(): (chunk: string) => string {
  let afterReturn = false;
  return (chunk) => {
    const text = afterReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk;
    if (chunk !== '') afterReturn = chunk.endsWith('\r');
    return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  };
}

/** True for a row of nothing but delimiters, however many. */
export function isBlank(cells: readonly string[]): boolean {
  return cells.every((cell) => !/[^\s\p{Cc}\u200b\u2060\ufeff]/u.test(cell));
}

export const QUOTE_LEFT_OPEN = 'opens a quote that is never closed';

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? '';
}

/** After any of these errors the parser drops the rest of its buffer, and its place in the file is lost. */
const ENDLESS: Readonly<Record<string, string>> = {
  CSV_MAX_RECORD_SIZE: `is longer than ${IMPORT_LINE_BYTES_MAX / 1024} kB (is a quote left open?)`,
  CSV_QUOTE_NOT_CLOSED: QUOTE_LEFT_OPEN,
};
