/** The result of one check. */
export type Finding = {
  /** The check's name, which is also its file's. */
  readonly check: string;
  /** `danger` will take the service down; `advice` makes it slower, costlier or harder to observe; `ok` is fine. */
  readonly level: Level;
  /** The facts, in numbers. */
  readonly says: string;
  /** What to do about it. */
  readonly advice?: string;
};

export type Level = 'ok' | 'advice' | 'danger';

/** In the order of the report: dangers come last, where they are still on the screen. */
export const LEVELS: readonly Level[] = ['ok', 'advice', 'danger'];

/** Joins rows for a sentence; ends with an ellipsis if the limit may have cut the list short. */
export function listed(rows: readonly string[], rowsMax: number): string {
  return rows.length < rowsMax ? rows.join(', ') : `${rows.join(', ')}, …`;
}
