/** A table whose columns are looked for: its titles, what they claim to be, and its first rows. */
import type { Titles } from './csv-titles.ts';
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

export const HALF = 0.5;
const TITLE_CHARS_SHOWN = 30;
