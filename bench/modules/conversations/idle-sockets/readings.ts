/** What was read of each side at each level, and what it comes to. */
import { round } from '../../../numbers.ts';
import { markdownTable } from '../../../report/markdown-table.ts';
import type { ProcessFigures } from './process-figures.ts';

export const SIDES = ['chat', 'bare ws'] as const;
export type SideName = (typeof SIDES)[number];

export interface Reading extends ProcessFigures {
  readonly side: SideName;
  /** How many sockets there should be. */
  readonly level: number;
  /** Of the whole box, without the page cache of plain files. */
  readonly boxBytes: number;
  /** In words; empty while it lives. */
  readonly death: string;
}

/** The most that were still open at the end of a level. */
export function heldBy(side: SideName, readings: readonly Reading[]): number {
  return Math.max(0, ...readings.filter((reading) => reading.side === side).map(({ sockets }) => sockets));
}

export interface PerSocket {
  readonly boxBytes: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

/** What each socket has added since there was none. */
export function perSocket(side: SideName, level: number, readings: readonly Reading[]): PerSocket {
  const at = (wanted: number) => readings.find((reading) => reading.side === side && reading.level === wanted);
  const [empty, full] = [at(0), at(level)];
  if (empty === undefined || full === undefined || full.sockets === 0)
    return { boxBytes: 0, rssBytes: 0, heapBytes: 0 };
  const share = (bytes: (reading: Reading) => number) => Math.round((bytes(full) - bytes(empty)) / full.sockets);
  return {
    boxBytes: share((reading) => reading.boxBytes),
    rssBytes: share((reading) => reading.rssBytes),
    heapBytes: share((reading) => reading.heapBytes),
  };
}

const MB = 1024 * 1024;
const HEAD = ['sockets', 'side', 'open', 'box', 'RSS', 'heap', 'longest stall'];

export function readingsTable(readings: readonly Reading[]): string {
  const rows = readings.map(({ level, side, sockets, boxBytes, rssBytes, heapBytes, stallMs, death }) => [
    level.toLocaleString('en'),
    side,
    death === '' ? sockets.toLocaleString('en') : death,
    ...[boxBytes, rssBytes, heapBytes].map((bytes) => `${Math.round(bytes / MB)} MB`),
    `${round(stallMs)} ms`,
  ]);
  return markdownTable(HEAD, rows, [1]);
}
