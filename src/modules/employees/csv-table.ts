/** A table whose columns are looked for: its titles, what they claim to be, and its first rows. */
import { foldTitle, isOfSomebodyElse, type Titles } from './csv-titles.ts';
import { strengthsOf } from './title-strength.ts';

export interface Table {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly claims: Claims;
}

export interface Claim {
  readonly column: number;
  readonly strength: number;
}

export type Claims = Readonly<Record<keyof Titles, readonly Claim[]>>;

export function claimsOf(titles: readonly string[]): Claims {
  const claims: Record<keyof Titles, Claim[]> = {
    ...{ email: [], name: [], givenName: [], nameParticle: [], familyName: [], secondFamilyName: [] },
    ...{ initials: [], team: [] },
  };
  for (const [column, title] of titles.entries()) {
    for (const [field, strength] of Object.entries(strengthsOf(title)) as [keyof Titles, number][])
      claims[field].push({ column, strength });
  }
  for (const [field, all] of Object.entries(claims) as [keyof Titles, Claim[]][]) {
    // "Name (manager)" says more than "Employee name" does, but not of the same person.
    const own = all.filter(
      ({ column, strength }) => Number.isInteger(strength) || !isOfSomebodyElse(titles[column] ?? ''),
    );
    if (own.length > 0) claims[field] = own;
  }
  return claims;
}

export function tableWidth({ titles, rows }: Table): number {
  return Math.max(titles.length, ...rows.map((row) => row.length));
}

/** Of the cells that have something in them. */
export function shareOf(table: Table, column: number, test: (cell: string) => boolean): number {
  const cells = filledCells(table, column);
  return cells.length === 0 ? 0 : cells.filter(test).length / cells.length;
}

export function isMostlyFilled(table: Table, column: number): boolean {
  return filledCells(table, column).length >= table.rows.length * HALF;
}

export function filledCells({ rows }: Table, column: number): string[] {
  return rows.map((row) => (row[column] ?? '').trim()).filter((cell) => cell !== '');
}

export function describe({ titles }: Table, column: number): string {
  const title = titles[column]?.trim();
  return title ? `${column + 1} (${shortTitle(title)})` : String(column + 1);
}

export function shortTitle(title: string): string {
  return title.slice(0, TITLE_CHARS_SHOWN).toWellFormed();
}

export function isAddress(cell: string): boolean {
  // With one place only where the first dot can be: tried at each of thousands, a cell would take seconds.
  return /^\s*[^\s@]+@[^\s@][^\s@.]*\.[^\s@]+\s*$/.test(cell);
}

export const hasNoLetters = (cell: string) => !/\p{L}/u.test(cell);

export function areShared(cells: readonly string[]): boolean {
  return cells.length >= SHARING_ROWS_MIN && countDifferent(cells) <= cells.length * HALF;
}

export function countDifferent(cells: readonly string[]): number {
  return new Set(cells.map((cell) => cell.toLowerCase())).size;
}

/** The column, a sentence about why none can be told, or undefined. */
export type Found = number | string | undefined;

/** Of several columns with equally strong titles, the one that has something in it, if they do not contradict. */
export function strongest(table: Table, found: readonly Claim[], field: string): Found {
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

export function contradict(table: Table, one: number, other: number, field: string): string {
  return `Column ${describe(table, one)} and column ${describe(table, other)} could both be ${field}. Choose one of them.`;
}

export const HALF = 0.5;
export const NEARLY_ALL = 0.8;
const SHARING_ROWS_MIN = 3;
const TITLE_CHARS_SHOWN = 30;
