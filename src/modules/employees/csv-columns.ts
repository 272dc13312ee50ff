/**
 * Which columns are the name, the address and the team: by their titles, and by what is in them, because "Employee" is
 * the name in one file and the personnel number in the next.
 */
import { widthOf } from './csv-parser.ts';
import {
  type Claim,
  claimsOf,
  describe,
  filledCells,
  HALF,
  isAddress,
  isMostlyFilled,
  shareOf,
  shortTitle,
  type Table,
  tableWidth,
} from './csv-table.ts';
import { foldTitle, type Titles } from './csv-titles.ts';
import { IMPORT_COLUMNS_MAX } from './limits.ts';
import { hasTitleInIt, strengthsOf } from './title-strength.ts';

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
  const name = choices.name ?? nameOf(table);
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

/** The column, a sentence about why none can be told, or undefined. */
type Found = number | string | undefined;

function emailOf(table: Table): Found {
  const titled = table.claims.email;
  const holding = titled.filter(({ column }) => shareOf(table, column, isAddress) >= HALF);
  if (titled.length > 0) {
    const found = strongest(table, holding.length > 0 ? holding : titled, 'the email address');
    const isPrivate = titled.some(({ column, strength }) => column === found && strength >= PRIVATE);
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
  return columnsOfAddresses(table).find((other) => other !== column && sharedAddresses(table, other) === undefined);
}

function columnsOfAddresses(table: Table): number[] {
  const columns = Array.from({ length: tableWidth(table) }, (_, column) => column);
  return columns.filter((column) => isMostlyFilled(table, column) && shareOf(table, column, isAddress) >= NEARLY_ALL);
}

/** The address of a manager, where the title does not say so much: all who share it would become one person. */
function sharedAddresses(table: Table, column: number): string | undefined {
  return areShared(filledCells(table, column).filter(isAddress))
    ? `Column ${describe(table, column)} has the same addresses again and again, as that of a manager or a team has. Choose the column of people's own addresses.`
    : undefined;
}

/** Where the title says more than that it is a name. */
function sharedNames(table: Table, column: number, titled: readonly Claim[]): string | undefined {
  const isExact = titled.some((claim) => claim.column === column && Number.isInteger(claim.strength));
  return !isExact && areShared(filledCells(table, column))
    ? `Column ${describe(table, column)} has the same names again and again, as that of a manager has. Choose the column of people's own names.`
    : undefined;
}

function areShared(cells: readonly string[]): boolean {
  const different = new Set(cells.map((cell) => cell.toLowerCase()));
  return cells.length >= SHARING_ROWS_MIN && different.size <= cells.length * HALF;
}

function nameOf(table: Table): number[] | string | undefined {
  const named = (field: keyof Titles) => table.claims[field].filter((claim) => holdsNames(table, claim));
  const given = strongest(table, named('givenName'), 'the first name');
  const family = strongest(table, named('familyName'), 'the last name');
  const [isGiven, isFamily] = [typeof given === 'number', typeof family === 'number'];
  // Beside both parts, "Name (manager)" is somebody else's and "Preferred name" may be empty.
  const whole = isGiven && isFamily ? named('name').filter(containing(table, family as number)) : named('name');
  const full = strongest(table, whole, 'the name');
  if (typeof full === 'number') {
    const fuller = isGiven || isFamily ? undefined : fullerNames(table, full, whole);
    if (fuller !== undefined) return contradict(table, full, fuller, 'the name');
    const doubt = isGiven || isFamily ? undefined : (sharedNames(table, full, whole) ?? untitledRest(table, full));
    if (doubt !== undefined) return doubt;
    // "Name" beside "First name" is the last name, unless it has the first name in it.
    const rest = isGiven && !isFamily && !containing(table, given as number)({ column: full });
    return rest && strengthsOf(table.titles[full] ?? '').name === 0 ? inOrder(table, given as number, full) : [full];
  }
  if (typeof full === 'string' && !(isGiven && isFamily)) return full;
  const contradiction = [given, family].find((found) => typeof found === 'string');
  if (contradiction !== undefined) return contradiction;
  const [particle, second, initials] = [
    table.claims.nameParticle[0]?.column,
    table.claims.secondFamilyName[0]?.column,
    table.claims.initials[0]?.column,
  ];
  const isTold = (column: number | undefined) => column !== undefined;
  if (isGiven && isFamily) {
    const [first, last] = [given as number, family as number];
    // "Nom d'usage" is empty for whoever goes by the name of birth.
    const rest = isMostlyFilled(table, last) ? undefined : otherHalf(table, first, 'familyName', 'last name', last);
    if (rest !== undefined) return rest;
    const names = inOrder(table, first, last);
    return [...names.slice(0, 1), particle, ...names.slice(1), second].filter(isTold);
  }
  if (isGiven) return otherHalf(table, given as number, 'familyName', 'last name') ?? [given as number];
  if (isFamily)
    return (
      otherHalf(table, family as number, 'givenName', 'first name') ??
      [initials, particle, family as number, second].filter(isTold)
    );
  const numbers = table.claims.name[0];
  return (
    numbers &&
    `Column ${describe(table, numbers.column)} holds numbers or addresses, not names. Choose the column of the names.`
  );
}

/** A merged cell "Name" above "First" and "Last" is saved as its first column's. */
function untitledRest(table: Table, column: number): string | undefined {
  const rest = column + 1;
  const isRest =
    table.titles[rest]?.trim() === '' &&
    isMostlyFilled(table, rest) &&
    shareOf(table, rest, (cell) => /^\p{L}[\p{L}\p{M}\s'’.-]+$/u.test(cell)) > NEARLY_ALL &&
    shareOf(table, column, hasSeveralWords) === 0;
  return isRest
    ? `Column ${describe(table, column)} has one word in each row, and column ${describe(table, rest)} has no title: it may be the rest of the name. Choose the columns of the name.`
    : undefined;
}

/** "Surname at birth" beside "First name": half of the name would be lost without a word. */
function otherHalf(table: Table, half: number, field: keyof Titles, called: string, known = half): string | undefined {
  const isLikely = (title: string, column: number) =>
    column !== half &&
    column !== known &&
    hasTitleInIt(title, field) &&
    filledCells(table, column).some((cell) => /\p{L}/u.test(cell));
  const other = table.titles.findIndex(isLikely);
  return other < 0
    ? undefined
    : `Column ${describe(table, half)} is a part of the name, and column ${describe(table, other)} may be the ${called}. Choose the columns of the name.`;
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

/** Chinese, Japanese and Korean names begin with the family's. */
function inOrder(table: Table, given: number, family: number): number[] {
  return shareOf(table, family, (cell) => EAST_ASIAN.test(cell)) >= HALF ? [family, given] : [given, family];
}

/** Of several columns with equally strong titles, the one that has something in it, if they do not contradict. */
function strongest(table: Table, found: readonly Claim[], field: string): Found {
  const best = Math.min(...found.map(({ strength }) => strength));
  const equal = found.filter(({ strength }) => strength === best).map(({ column }) => column);
  const filled = equal.filter((column) => table.rows.some((row) => (row[column] ?? '').trim() !== ''));
  const [first, ...others] = filled.length > 0 ? filled : equal;
  if (first === undefined || others.length === 0) return first;
  const said = table.rows.map((row) => foldTitle(row[first] ?? ''));
  const contradicts = (row: readonly string[], other: number, n: number) =>
    row[other] !== row[first] && foldTitle(row[other] ?? '') !== said[n];
  const rival = others.find((other) => table.rows.some((row, n) => contradicts(row, other, n)));
  if (rival === undefined) return first;
  return contradict(table, first, rival, field);
}

function contradict(table: Table, one: number, other: number, field: string): string {
  return `Column ${describe(table, one)} and column ${describe(table, other)} could both be ${field}. Choose one of them.`;
}

/** Beside "Ada Lovelace" under "Employee", "alovelace" under "Name" is what she signs in with. */
function fullerNames(table: Table, full: number, others: readonly Claim[]): number | undefined {
  const isFuller = ({ column }: Claim) => shareOf(table, column, hasSeveralWords) > HALF;
  return shareOf(table, full, hasSeveralWords) > 0 ? undefined : others.find(isFuller)?.column;
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

/** Not numbers, and not addresses. Where the title says less than "Name" does, not numbers like E-10023 either. */
function holdsNames(table: Table, { column, strength }: Claim): boolean {
  const rivals = table.claims.name.length > 1;
  const isNumber = strength >= 1 || rivals ? isPersonnelNumber : hasNoLetters;
  return shareOf(table, column, isNumber) <= HALF && shareOf(table, column, isAddress) <= HALF;
}

const hasSeveralWords = (cell: string) => /\p{L}[,.]?\s+\p{L}/u.test(cell);
const hasNoLetters = (cell: string) => !/\p{L}/u.test(cell);
const isPersonnelNumber = (cell: string) => hasNoLetters(cell) || /^\p{L}{0,4}[-_ ./]?\d+$/u.test(cell);

/** Tells the columns that have the text of `part` in most of their cells. */
function containing({ rows }: Table, part: number): (whole: { readonly column: number }) => boolean {
  const parts = rows.map((row) => foldTitle(row[part] ?? ''));
  return ({ column }) => {
    const both = [...rows.keys()].filter((n) => rows[n]?.[column] && rows[n]?.[part]);
    const within = both.filter((n) => foldTitle(rows[n]?.[column] ?? '').includes(parts[n] as string));
    return both.length > 0 && within.length >= both.length * HALF;
  };
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

const NEARLY_ALL = 0.8;
const MERGED_TEAMS_MIN = 2;
const SHARING_ROWS_MIN = 3;
const PRIVATE = 3; // the titles of private addresses are the last of `TITLES.email`
const TITLES_SHOWN = 10;
const EAST_ASIAN = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u;
