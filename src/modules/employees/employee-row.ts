/** One row of a file becomes an employee, or a reason why not. */
import { NAME_CHARS_MAX } from '../../limits.ts';
import { parseAddress } from '../../mail-address.ts';
import { faultIn, rawTextIn, teamIn, textIn } from './cell-text.ts';
import { agreesWith } from './csv-encoding.ts';
import { type CsvRow, isBlank } from './csv-parser.ts';
import { isPersonAboveHeader, type Reading } from './csv-reading.ts';
import { isAddress } from './csv-table.ts';
import { IMPORT_CELL_CHARS_MAX } from './limits.ts';

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

type RowReading = Pick<Reading, 'columns' | 'delimiter' | 'encoding' | 'header' | 'width' | 'isFamilyFirst'>;

const TEAM_OF_NOBODY = 'General';
const LONG_NAME = `the name is longer than ${NAME_CHARS_MAX} characters`;
const LONG_TEAM = `the team is longer than ${NAME_CHARS_MAX} characters`;
const ABOVE_HEADER = 'stands above the header line, so it was not read: move the header line to the top of the table';

export function toEmployee(row: CsvRow, reading: RowReading): EmployeeRow | RejectedRow {
  const { columns } = reading;
  const { line, cells } = row;
  if (isPersonAboveHeader(row, reading)) return { line, reason: ABOVE_HEADER };
  const read = [...columns.name, columns.email, ...(columns.team === undefined ? [] : [columns.team])];
  const raw = read.map((column) => cells[column] ?? '');
  const unreadable = reasonAgainst(raw, row, reading);
  if (unreadable !== undefined) return { line, reason: unreadable };

  const isBeyond = (column: number) => (cells[column] ?? '').trim().length > IMPORT_CELL_CHARS_MAX;
  if (columns.name.some(isBeyond)) return { line, reason: LONG_NAME };
  if (columns.team !== undefined && isBeyond(columns.team)) return { line, reason: LONG_TEAM };
  const email = rawTextIn(cells[columns.email] ?? '');
  const names = columns.name.map((column) => textIn(cells[column] ?? '')).filter((part) => part !== '');
  const name = reading.isFamilyFirst ? turnedAround(names.join(' ')) : names.join(' ');
  const team = columns.team === undefined ? '' : teamIn(cells[columns.team] ?? '');
  if (name === '') return { line, reason: 'has no name' };
  if (email === '') return { line, reason: 'has no email address' };
  if (email.includes('\n'))
    return { line, reason: `has ${email.split('\n').length} lines where one email address belongs` };
  const parsed = parseAddress(email);
  if ('fault' in parsed) return { line, reason: `"${shorten(email)}" is not an email address: it ${parsed.fault}` };
  if (isTooLong(name)) return { line, reason: LONG_NAME };
  if (isTooLong(team)) return { line, reason: LONG_TEAM };
  const fault = faultIn(name) ?? faultIn(team);
  if (fault !== undefined) return { line, reason: fault };
  return { line, email: parsed.address, name, team: team || TEAM_OF_NOBODY };
}

/** What makes the cells of a row unreadable. */
function reasonAgainst(
  cells: readonly string[],
  { line, endLine, cells: all }: CsvRow,
  { delimiter, encoding: found, columns, width }: RowReading,
): string | undefined {
  const { encoding } = found;
  const isUnicode = encoding.startsWith('utf');
  if (cells.some((cell) => (isUnicode ? /\uFFFD/ : NO_LETTER).test(cell)))
    return `contains characters that are not valid ${isUnicode ? encoding.toUpperCase() : encoding}`;
  if (cells.some((cell) => MISREAD.test(cell)))
    return 'contains control characters: it was read in another encoding before';
  if (cells.some((cell) => cell.includes('\0'))) return 'contains a NUL character';
  if (cells.some((cell) => hasRows(cell, delimiter) && !(cell === all[columns.email] && isListOfAddresses(cell))))
    return `opens a quote that ends only on line ${endLine}: lines ${line} to ${endLine} were not read`;
  // A text that was cut in two moves what comes after it. The address is in its place, or it will be missed.
  const isAfterAddress = Math.max(...columns.name, columns.team ?? 0) > columns.email;
  if (width !== undefined && isAfterAddress && !isBlank(all.slice(width)))
    return `has more cells than the header line: a text with "${delimiter}" in it must be in quotes`;
  const twice = cells.find((cell) => TWICE_ENCODED.test(cell));
  if (twice !== undefined) return `looks like UTF-8 that was read as another encoding: "${shorten(twice)}"`;
  const odd = cells.find((cell) => !agreesWith(found, cell));
  if (odd !== undefined)
    return `does not look like ${encoding}, the encoding that the beginning of the file was taken for: "${shorten(odd)}". If it is right, send the file again with encoding=${encoding}; otherwise choose the encoding of the file`;
  return undefined;
}

/** True for a cell with a row of the table in it: a quote that was left open has swallowed it. */
function hasRows(cell: string, delimiter: string): boolean {
  return cell.includes('\n') && cell.split('\n').some((line) => line.split(delimiter).some(isAddress));
}

/** Two addresses in one cell are refused as such. One with an empty line before or after it is one. */
function isListOfAddresses(cell: string): boolean {
  return cell
    .trim()
    .split('\n')
    .every((line) => isAddress(line));
}

/** In code points, as everywhere else. */
function isTooLong(text: string): boolean {
  return text.length > NAME_CHARS_MAX && [...text].length > NAME_CHARS_MAX;
}

/** "Lovelace, Ada" is how directories sort people, and not how a mail greets them. */
function turnedAround(name: string): string {
  const [family = '', given, ...others] = name.split(',').map((part) => part.trim());
  return given && others.length === 0 ? `${given} ${family}` : name;
}

function shorten(text: string): string {
  return text.slice(0, 60).toWellFormed();
}

/** The replacement character, controls, and characters without a meaning: what a decoder makes of a byte that is no letter. */
const NO_LETTER = /[\uFFFD\x80-\x9f\p{Co}]/u;
/** Controls where other code pages have letters and quotes. Next line (x85) is a line end in its own right. */
const MISREAD = /[\x80-\x84\x86-\x9f]/;

/** "JÃ¼rgen": the two bytes of ü, each taken for a letter. */
const TWICE_ENCODED =
  /[\u00c2-\u00c5\u00d0\u00d1][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]/;
