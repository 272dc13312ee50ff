import type { Info, Options } from 'csv-parse';
import { IMPORT_COLUMNS_MAX, IMPORT_LINE_BYTES_MAX, IMPORT_ROW_CELLS_MAX } from './limits.ts';

export interface CsvRow {
  /** The line of the file on which the row begins. */
  readonly line: number;
  readonly endLine: number;
  readonly cells: readonly string[];
}

/** Why the place of the rows in the file is lost: one of them never ends. */
export interface Lost {
  reason?: string;
}

/** The options of csv-parse, for text that went through `createLineEnds`. */
export function parserOptions(delimiter: string, lost: Lost): Options {
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
    on_record(given) {
      if ((given as unknown as { record: string[] }).record.length > IMPORT_ROW_CELLS_MAX)
        lost.reason ??= TOO_MANY_CELLS;
      return lost.reason === undefined ? given : null;
    },
    on_skip(error): undefined {
      lost.reason ??= reasonOf(error as { code?: string; index?: number } | undefined);
    },
  };
}

/** Delimiters have no length to the parser: a row of nothing else would fill the memory before it ended. */
export function loseEndlessRow(parser: object, lost: Lost): void {
  const { record } = (parser as { state: { record: readonly string[] } }).state;
  if (record.length > IMPORT_ROW_CELLS_MAX) lost.reason ??= TOO_MANY_CELLS;
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

/** How many columns a row has, without the empty cells that spreadsheets put behind it. */
export function widthOf(cells: readonly string[]): number {
  return cells.findLastIndex((cell) => !isBlank([cell])) + 1;
}

export const QUOTE_LEFT_OPEN = 'opens a quote that is never closed';
export const TOO_MANY_COLUMNS = `has more than ${inDigits(IMPORT_COLUMNS_MAX)} columns. Delete those that are not needed: the name, the email address and the team are enough`;
const TOO_MANY_CELLS = `has more than ${inDigits(IMPORT_ROW_CELLS_MAX)} cells`;

/** After any of these errors the parser drops the rest of its buffer, and its place in the file is lost. */
function reasonOf({ code, index = 0 }: { code?: string; index?: number } = {}): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED') return QUOTE_LEFT_OPEN;
  if (code !== 'CSV_MAX_RECORD_SIZE') return 'cannot be parsed';
  return index > IMPORT_COLUMNS_MAX
    ? TOO_MANY_COLUMNS
    : `is longer than ${IMPORT_LINE_BYTES_MAX / 1024} kB (is a quote left open?)`;
}

function inDigits(count: number): string {
  return count.toLocaleString('en');
}
