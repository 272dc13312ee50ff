/**
 * How a CSV file is to be read, found out from its beginning: the encoding, the delimiter, the header line and the
 * columns. Each of them can be chosen instead.
 */
import { parse } from 'csv-parse/sync';
import { AppError } from '../../errors.ts';
import { type ColumnChoices, type Columns, columnsOf, isHeader } from './csv-columns.ts';
import { encodingOf, type FoundEncoding, SAVE_AS_UTF8 } from './csv-encoding.ts';
import {
  type CsvRow,
  createLineEnds,
  isBlank,
  type Lost,
  parserOptions,
  QUOTE_LEFT_OPEN,
  rowOf,
  TOO_MANY_COLUMNS,
  widthOf,
} from './csv-parser.ts';
import { isAddress } from './csv-table.ts';
import { foldTitle } from './csv-titles.ts';
import {
  IMPORT_COLUMNS_MAX,
  IMPORT_HEADER_ROWS_MAX,
  IMPORT_HEADERS_SOUGHT_CHARS_MAX,
  IMPORT_SAMPLE_CELL_CHARS_MAX,
  IMPORT_SAMPLE_ROWS,
  IMPORT_SNIFF_BYTES,
} from './limits.ts';
import { refuseBinary, refuseKnownFiles, refuseKnownTexts } from './other-formats.ts';

export interface Choices extends ColumnChoices {
  readonly encoding?: string | undefined;
  readonly delimiter?: string | undefined;
  /** Of the Content-Type. */
  readonly charset?: string | undefined;
}

export interface Reading {
  readonly encoding: FoundEncoding;
  readonly delimiter: string;
  /** A first line like `sep=;`, which is not a row. */
  readonly prefix: string;
  /** Undefined: every row is an employee. */
  readonly header: CsvRow | undefined;
  readonly columns: Columns;
  /** How many cells a row has at most; undefined where the header line does not tell. */
  readonly width: number | undefined;
  /** The one column of the names has them as "Lovelace, Ada". */
  readonly isFamilyFirst: boolean;
}

/** What is known so far. With an unsure encoding or a problem, the file cannot be imported as it is. */
export interface DraftReading extends Omit<Reading, 'columns'> {
  readonly columns: Partial<Columns>;
  /** What is not known about the columns. */
  readonly problem: string | undefined;
  /** A row that never ends, with which the import would end too. */
  readonly endless: string | undefined;
  /** The rows that follow the header in the beginning of the file, and people above it. */
  readonly rows: readonly CsvRow[];
}

/** Throws AppError when this is not a CSV file at all, or when something must be chosen first. */
export async function readingOf(head: Buffer, choices: Choices): Promise<Reading> {
  const draft = await draftReading(head, choices);
  const { columns, encoding, problem } = draft;
  if (!encoding.sure) throw new AppError('invalid', unsureEncoding(encoding));
  if (problem !== undefined) throw new AppError('invalid', problem);
  return { ...draft, columns: columns as Columns };
}

export async function draftReading(head: Buffer, choices: Choices): Promise<DraftReading> {
  refuseKnownFiles(head);
  const encoding = await encodingOf(head, choices);
  const text = createLineEnds()(decodeHead(head, encoding.encoding));
  refuseBinary(text);
  refuseKnownTexts(text);
  const prefix = text.match(SEPARATOR_LINE)?.[0] ?? '';
  const delimiters = choices.delimiter ?? prefix.match(SEPARATOR_LINE)?.[1] ?? DELIMITERS;
  const body = text.slice(prefix.length);
  if (/^[\s\ufeff]*$/.test(body)) throw new AppError('invalid', EMPTY);
  const drafts = [...delimiters].map((delimiter) =>
    splitBy(
      delimiter,
      { text: body, linesBefore: prefix === '' ? 0 : 1, cutOff: head.length >= IMPORT_SNIFF_BYTES },
      choices,
    ),
  );
  const best = drafts.toSorted((a, b) => b.score - a.score)[0] as Split;
  return { encoding, prefix, ...best };
}

/** Tells the header where it comes again, as it does where files were put together. */
export function createHeaderTest({ header, columns }: Pick<DraftReading, 'header' | 'columns'>) {
  const titles = header?.cells.map(foldTitle);
  // Folding is dear, so rows with an address are not asked, and of the others hardly more than a cell.
  return ({ cells }: CsvRow) =>
    titles !== undefined &&
    !cells[columns.email ?? -1]?.includes('@') &&
    titles.every((title, column) => foldTitle(cells[column] ?? '') === title) &&
    cells.slice(titles.length).every((cell) => foldTitle(cell) === '');
}

/** Tells the header of another table, which has its columns in other places. Dear, so rows with an address are not asked, nor many. */
export function createOtherHeaderTest({ columns }: Pick<Reading, 'columns'>) {
  let sought = 0;
  return ({ cells }: CsvRow) => {
    if (sought > IMPORT_HEADERS_SOUGHT_CHARS_MAX || cells[columns.email]?.includes('@')) return false;
    sought += cells.reduce((sum, cell) => sum + 1 + cell.length, 0);
    if (!isHeader(cells)) return false;
    const { email, name = [] } = columnsOf(cells, [], {});
    return email !== columns.email || name.join() !== columns.name.join();
  };
}

/** Notes may stand above a header. An address in the column of the addresses is somebody, above a header that was sorted with the rows. */
export function isPersonAboveHeader(
  { line, cells }: CsvRow,
  { header, columns }: Pick<DraftReading, 'header' | 'columns'>,
): boolean {
  return header !== undefined && line < header.line && isAddress(cells[columns.email ?? -1] ?? '');
}

/** A number and tick boxes, drawn down over rows in which nobody is yet: as blank as a row of delimiters. */
export function isPlaceholder({ cells }: CsvRow, { name = [], email = -1, team = -1 }: Partial<Columns>): boolean {
  return (
    isBlank([...name, email, team].map((column) => cells[column] ?? '')) &&
    cells.every((cell) => !/\p{L}/u.test(cell) || TICK_BOX.test(cell))
  );
}

/** The beginning as text; a character that is cut off at its end is left out, unless the file ends there too. */
function decodeHead(head: Buffer, encoding: string): string {
  return new TextDecoder(encoding).decode(head, { stream: head.length >= IMPORT_SNIFF_BYTES });
}

interface Beginning {
  readonly text: string;
  readonly linesBefore: number;
  /** The file goes on. */
  readonly cutOff: boolean;
}

interface Split {
  readonly delimiter: string;
  readonly width: number | undefined;
  readonly isFamilyFirst: boolean;
  readonly header: CsvRow | undefined;
  readonly columns: Partial<Columns>;
  readonly problem: string | undefined;
  readonly endless: string | undefined;
  readonly rows: readonly CsvRow[];
  readonly score: number;
}

/** The table as it is with this delimiter; the higher its score, the more it looks like one. */
function splitBy(delimiter: string, { text, linesBefore, cutOff }: Beginning, choices: Choices): Split {
  const lost: Lost = {};
  const options = { ...parserOptions(delimiter, lost), to: IMPORT_SAMPLE_ROWS };
  const parsed = parse(text, options) as unknown as { record: string[]; info: never }[];
  const endless = lost.reason;
  // The last row may be cut off with the beginning of the file.
  const whole = cutOff && parsed.length > 1 && parsed.length < IMPORT_SAMPLE_ROWS ? parsed.slice(0, -1) : parsed;
  const all = whole.map((row) => rowOf(row, linesBefore)).filter(({ cells }) => !isBlank(cells));
  if (all.length === 0) {
    const problem = `The row on line ${linesBefore + 1} ${endless ?? 'is blank'}. Nothing was imported.`;
    return { ...NO_TABLE, delimiter, problem, ...(endless === TOO_MANY_COLUMNS ? { score: WIDTH_MAX } : {}) };
  }
  const first = headerOf(all, choices);
  const tooWide = rowsUpTo(first, all, choices).find(({ cells }) => widthOf(cells) > IMPORT_COLUMNS_MAX);
  if (tooWide !== undefined) {
    const problem = `The row on line ${tooWide.line} ${TOO_MANY_COLUMNS}. Nothing was imported.`;
    return { ...NO_TABLE, delimiter, problem, score: WIDTH_MAX };
  }
  const header = first && { ...first, cells: first.cells.map(storable) };
  const below = first === undefined ? all : all.slice(all.indexOf(first) + 1);
  const { problem: open, ...columns } = columnsOf(
    header?.cells.slice(0, IMPORT_COLUMNS_MAX) ?? [],
    below.map(({ cells }) => sampleOf(cells)),
    choices,
  );
  const isHeaderAgain = createHeaderTest({ header, columns });
  const rows = below.filter((row) => !isHeaderAgain(row) && !isPlaceholder(row, columns));
  const above = all.filter((row) => isPersonAboveHeader(row, { header, columns }));
  // A quote that is open where the beginning ends may be closed further on.
  const isOpenOnly = cutOff && endless === QUOTE_LEFT_OPEN;
  const width = Math.max(...all.map(({ cells }) => cells.length));
  const problem = open !== undefined && width === 1 ? `${open} ${ONE_COLUMN}` : open;
  const known = Object.keys(columns).length;
  return {
    ...{ delimiter, header, columns, problem, rows: [...above, ...rows] },
    endless:
      endless === undefined || isOpenOnly
        ? undefined
        : `The row after line ${all.at(-1)?.endLine} ${endless}. Fix the row.`,
    width: commonWidth(header, rows, columns),
    isFamilyFirst: areFamilyFirst(columns.name ?? [], rows),
    score: known * KNOWN_COLUMN_SCORE + Math.min(width, WIDTH_MAX),
  };
}

const NO_TABLE = {
  header: undefined,
  columns: {},
  width: undefined,
  isFamilyFirst: false,
  endless: undefined,
  rows: [],
  score: -1,
} as const;

/** Titles are quoted in the report of the import, and PostgreSQL cannot store NUL. */
function storable(title: string): string {
  return title.replaceAll('\0', '');
}

/** Of the header line, unless many rows go on beyond it: then they have columns without a title. */
function commonWidth(
  header: CsvRow | undefined,
  rows: readonly CsvRow[],
  columns: Partial<Columns>,
): number | undefined {
  const width = header?.cells.length;
  const isLonger = ({ cells }: CsvRow) => !isBlank(cells.slice(width));
  // Where teams are numbers, one beside another is no sign of anything.
  const areWords = rows.some((row) => !isLonger(row) && /[^\d\s]/.test(row.cells[columns.team ?? -1] ?? ''));
  const longer = rows.filter((row) => isLonger(row) && !(areWords && hasCutNumber(row.cells, columns)));
  return longer.length > rows.length * LONGER_SHARE_MAX ? undefined : width;
}

/** 1234,50 without quotes leaves the cents where the team is: in all rows of a table, if it has such a column. */
function hasCutNumber(cells: readonly string[], { name = [], team = 0 }: Partial<Columns>): boolean {
  return [...name, team].some(
    (column) => /^\d{1,2}$/.test(cells[column] ?? '') && /^-?\d[\d.]*$/.test(cells[column - 1] ?? ''),
  );
}

function areFamilyFirst([column, ...others]: readonly number[], rows: readonly CsvRow[]): boolean {
  if (column === undefined || others.length > 0) return false;
  const names = rows.map(({ cells }) => cells[column] ?? '').filter((name) => name.trim() !== '');
  const turned = names.filter((name) => /^[^,\p{L}]*\p{L}[^,]*,[^,\p{L}]*\p{L}[^,]*$/u.test(name));
  return names.length > 0 && turned.length >= names.length * FAMILY_FIRST_SHARE_MIN;
}

/** The first rows may be a title of the table instead of its header. */
function headerOf(rows: readonly CsvRow[], choices: Choices): CsvRow | undefined {
  if (choices.header === false) return undefined;
  const titled = rows.slice(0, IMPORT_HEADER_ROWS_MAX).find(({ cells }) => isHeader(cells));
  if (titled !== undefined) return titled;
  const [first] = rows;
  return choices.header === true || !first?.cells.some(isAddress) ? first : undefined;
}

/** Those that are the header, or would be if they were not too wide. */
function rowsUpTo(header: CsvRow | undefined, rows: readonly CsvRow[], choices: Choices): readonly CsvRow[] {
  if (choices.header === false) return rows.slice(0, 1);
  const isTitled = header !== undefined && isHeader(header.cells);
  return rows.slice(0, isTitled ? rows.indexOf(header) + 1 : IMPORT_HEADER_ROWS_MAX);
}

/** What tells the columns. Without a bound, a few long cells would be compared with each of a thousand columns. */
function sampleOf(cells: readonly string[]): string[] {
  return cells.slice(0, IMPORT_COLUMNS_MAX).map((cell) => cell.slice(0, IMPORT_SAMPLE_CELL_CHARS_MAX));
}

function unsureEncoding({ encoding, others, odd }: FoundEncoding): string {
  const guesses = [encoding, ...others].slice(0, GUESSES_NAMED).join(' or ');
  const doubt = odd && ` Line ${odd.line} does not look like windows-1252: "${odd.text}".`;
  return `It is not UTF-8, and which encoding it is in cannot be told for certain: it may be ${guesses}.${doubt ?? ''} Look at the preview and choose the encoding in which all names are right (such as encoding=${encoding}), or: ${SAVE_AS_UTF8}`;
}

/** TRUE and FALSE, as spreadsheets in several languages write them. */
const TICK_BOX =
  /^\s*(?:true|false|wahr|falsch|vrai|faux|verdadero|falso|vero|verdadeiro|waar|onwaar|да|нет|yes|no)\s*$/i;
const SEPARATOR_LINE = /^"?sep=([^"\n])"?[;,\t| ]*(?:\n|$)/i;
const DELIMITERS = ',;\t|';
const KNOWN_COLUMN_SCORE = 1_000;
const WIDTH_MAX = 999;
const LONGER_SHARE_MAX = 0.5;
const FAMILY_FIRST_SHARE_MIN = 0.8;
const GUESSES_NAMED = 3;
const ONE_COLUMN =
  'The whole table is one column. If another character separates its columns, choose that (delimiter); if each line is in quotes as a whole, take these away.';
const EMPTY = 'The file is empty. It needs a header line: name, email, team.';
