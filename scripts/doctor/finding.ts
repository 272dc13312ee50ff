/** What one look found. */
export type Finding = {
  /** The check's name, also that of its file. */
  readonly check: string;
  /** `danger` will take the service down; `advice` makes it slower, dearer or blind; `ok` is well. */
  readonly level: Level;
  /** What is, in numbers. */
  readonly says: string;
  /** What to do about it. */
  readonly advice?: string;
};

export type Level = 'ok' | 'advice' | 'danger';

/** In the order of the report: dangers last, where they are still on the screen. */
export const LEVELS: readonly Level[] = ['ok', 'advice', 'danger'];

/** For a list in a sentence that a limit may have cut short. */
export function listed(rows: readonly string[], rowsMax: number): string {
  return rows.length < rowsMax ? rows.join(', ') : `${rows.join(', ')}, …`;
}
