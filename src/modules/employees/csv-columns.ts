/**
 * Which columns are the name, the address and the team: by their titles, and by what is in them, because "Employee" is
 * the name in one file and the personnel number in the next.
 */

import { nameOf } from './csv-names.ts';
import { widthOf } from './csv-parser.ts';
import {
  areShared,
  claimsOf,
  contradict,
  describe,
  type Found,
  filledCells,
  HALF,
  hasNoLetters,
  isAddress,
  isMostlyFilled,
  NEARLY_ALL,
  shareOf,
  shortTitle,
  strongest,
  type Table,
  tableWidth,
} from './csv-table.ts';
import { isOfSomebodyElse, PRIVATE_EMAIL_STRENGTH, type Titles } from './csv-titles.ts';
import { IMPORT_COLUMNS_MAX } from './limits.ts';
import { strengthsOf } from './title-strength.ts';

export interface Columns {
  /** First and last name can be two columns. */
  readonly name: readonly number[];
  readonly email: number;
  readonly team: number | undefined;
}

/** What is known for certain, or was chosen, and what stands in the way of the rest. */
export interface FoundColumns extends Partial<Columns> {
  readonly problem?: string;
}

export interface ColumnChoices {
  readonly name?: readonly number[] | undefined;
  readonly email?: number | undefined;
  /** -1: none. */
  readonly team?: number | undefined;
  /** False: the first line is a row like the others. */
  readonly header?: boolean | undefined;
}

/** `titles` is empty where there is no header; `rows` are the first rows below it. */
export function columnsOf(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  choices: ColumnChoices,
): FoundColumns {
  const table = { titles, rows, claims: claimsOf(titles) };
  const email = choices.email ?? emailOf(table);
  const name = choices.name ?? nameOf(table, typeof email === 'number' ? email : undefined);
  const team = choices.team ?? teamOf(table);
  const problems = [email, name, team].flatMap((one) => (typeof one === 'string' ? [one] : []));
  const missing = [name === undefined && 'name', email === undefined && 'email'].filter((one) => one !== false);
  if (missing.length > 0) problems.unshift(missingColumns(titles, missing, choices));
  problems.push(...problemsOf(choices, tableWidth(table)));
  return {
    ...(Array.isArray(name) ? { name } : {}),
    ...(typeof email === 'number' ? { email } : {}),
    ...(typeof team === 'number' && team >= 0 ? { team } : {}),
    ...(problems.length > 0 ? { problem: problems.join(' ') } : {}),
  };
}

/** Whether these cells are the titles of a table of people. */
export function isHeader(cells: readonly string[]): boolean {
  if (widthOf(cells) > IMPORT_COLUMNS_MAX || cells.some(isAddress)) return false;
  const strengths = cells.slice(0, IMPORT_COLUMNS_MAX).map(strengthsOf);
  const has = (field: keyof Titles) => strengths.some((one) => one[field] !== undefined);
  return has('email') && (has('name') || has('givenName') || has('familyName'));
}

function emailOf(table: Table): Found {
  const titled = table.claims.email;
  const holding = titled.filter(({ column }) => shareOf(table, column, isAddress) >= HALF);
  if (titled.length > 0) {
    const found = strongest(table, holding.length > 0 ? holding : titled, 'the email address');
    const isPrivate = titled.some(({ column, strength }) => column === found && strength >= PRIVATE_EMAIL_STRENGTH);
    const other = isPrivate ? addressesBeside(table, found as number) : undefined;
    if (other !== undefined) return contradict(table, found as number, other, 'the email address');
    const isExact = titled.some(({ column, strength }) => column === found && Number.isInteger(strength));
    return isExact || typeof found !== 'number' ? found : (sharedAddresses(table, found) ?? found);
  }
  const [only, ...others] = columnsOfAddresses(table);
  return only === undefined || others.length > 0 ? undefined : (sharedAddresses(table, only) ?? only);
}

/** Of people themselves, so not of a manager. Nobody gets mail from work at home while there is another address. */
function addressesBeside(table: Table, column: number): number | undefined {
  const isTheirs = (other: number) =>
    !isOfSomebodyElse(table.titles[other] ?? '') && !areShared(addressesIn(table, other));
  return columnsOfAddresses(table).find((other) => other !== column && isTheirs(other));
}

function addressesIn(table: Table, column: number): string[] {
  return filledCells(table, column).filter(isAddress);
}

function columnsOfAddresses(table: Table): number[] {
  const columns = Array.from({ length: tableWidth(table) }, (_, column) => column);
  return columns.filter((column) => isMostlyFilled(table, column) && shareOf(table, column, isAddress) >= NEARLY_ALL);
}

/** The address of a manager, where the title does not say so much: all who share it would become one person. */
function sharedAddresses(table: Table, column: number): string | undefined {
  return areShared(addressesIn(table, column))
    ? `Column ${describe(table, column)} has the same addresses again and again, as that of a manager or a team has. Choose the column of people's own addresses.`
    : undefined;
}

function teamOf(table: Table): Found {
  const titled = table.claims.team;
  const words = titled.filter(
    ({ column }) => filledCells(table, column).length > 0 && shareOf(table, column, hasNoLetters) <= HALF,
  );
  const found = strongest(table, words.length > 0 ? words : titled, 'the team');
  return typeof found === 'number' ? (mergedCells(table, found) ?? found) : found;
}

/** A merged cell is saved as its first row's: all others of the team would be of none. */
function mergedCells(table: Table, column: number): string | undefined {
  const teams = table.rows.filter((row) => row.some(isAddress)).map((row) => (row[column] ?? '').trim());
  const named = teams.filter((team) => team !== '');
  const isMerged =
    teams[0] !== '' &&
    named.length >= MERGED_TEAMS_MIN &&
    named.length <= teams.length * HALF &&
    new Set(named).size === named.length;
  return isMerged
    ? `Column ${describe(table, column)} has each team only once, as merged cells have: everybody below would have no team. Fill it in on each row, or choose it (team=${column + 1}) if they really have none.`
    : undefined;
}

/** What was chosen and cannot be: most of all a column of another file. Without it all people would be of one team. */
function problemsOf({ name = [], email = 0, team = 0 }: ColumnChoices, width: number): string[] {
  const beyond = Math.max(...name, email, team) + 1;
  return [
    ...(beyond > width
      ? [`Column ${beyond} was chosen, but the table has ${width === 1 ? 'one column' : `${width} columns`}.`]
      : []),
    ...(new Set(name).size < name.length ? [`Column ${(name[0] ?? 0) + 1} was chosen twice for the name.`] : []),
  ];
}

function missingColumns(titles: readonly string[], missing: readonly string[], { header }: ColumnChoices): string {
  const which = missing.join(' and no column ');
  if (header === false)
    return `There is no header line (header=false), and no column ${which} is chosen. Say which columns are which (name=1, email=2, team=3).`;
  if (titles.length === 0)
    return `The first line has an email address in it, so it is not a header line, and no column ${which} is chosen. Add the header line name,email,team, or say that there is none (header=false) and which columns are which (name=1, email=2, team=3).`;
  const found = titles.slice(0, TITLES_SHOWN).map(shortTitle).join(', ');
  return `The header line has no column ${which}. Found: ${found}. Required: name and email; team is optional. Rename the columns, or choose them by their numbers (name=1, email=2, team=3; a first and a last name: name=1,2).`;
}

const MERGED_TEAMS_MIN = 2;
const TITLES_SHOWN = 10;
