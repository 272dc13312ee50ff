/** The blocks of one cell, in both ways, and what they come to. */
import { decodeHistogram, latencyFigures } from '../../../load/latency.ts';
import { round, sum } from '../../../numbers.ts';
import { markdownTable } from '../../../report/markdown-table.ts';
import type { LatencyFigures } from '../../../types.ts';
import type { BlockFigures } from './answer-loop.ts';
import type { Cell } from './limits.ts';
import type { Way } from './ways.ts';

export interface Compared extends Cell {
  readonly ways: Readonly<Record<Way, WayFigures>>;
  /** Grouped over single, of the answers a second. */
  readonly ratio: number;
}

export interface WayFigures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly refused: number;
  readonly refusal: string;
}

export function compare(cell: Cell, blocks: readonly (readonly [Way, BlockFigures])[]): Compared {
  const of = (way: Way) => figuresOf(blocks.filter(([which]) => which === way).map(([, figures]) => figures));
  const ways = { grouped: of('grouped'), single: of('single') };
  return { ...cell, ways, ratio: round(ways.grouped.perSecond / ways.single.perSecond, 2) };
}

function figuresOf(blocks: readonly BlockFigures[]): WayFigures {
  const { p50Ms, p99Ms } = merged(blocks.map(({ latency }) => latency));
  return {
    perSecond: Math.round(sum(blocks.map(({ perSecond }) => perSecond)) / blocks.length),
    p50Ms: round(p50Ms),
    p99Ms: round(p99Ms),
    refused: sum(blocks.map(({ refused }) => refused)),
    refusal: blocks.find(({ refusal }) => refusal !== '')?.refusal ?? '',
  };
}

function merged([first, ...others]: readonly LatencyFigures[]): LatencyFigures {
  if (first === undefined) throw new Error('no block was measured');
  const all = decodeHistogram(first);
  for (const other of others) all.add(decodeHistogram(other));
  return latencyFigures(all);
}

const HEAD = ['conversations', 'organisations', 'shared commits', 'p50', 'p99', 'one by one', 'p50', 'p99', 'ratio'];

export function comparedTable(compared: readonly Compared[]): string {
  const rows = compared.map(({ conversations, organisations, ways, ratio }) => [
    conversations.toLocaleString('en'),
    String(organisations),
    ...cellsOf(ways.grouped),
    ...cellsOf(ways.single),
    String(ratio),
  ]);
  return markdownTable(HEAD, rows, []);
}

function cellsOf({ perSecond, p50Ms, p99Ms, refused }: WayFigures): string[] {
  const rate = `${perSecond.toLocaleString('en')}/s`;
  return [refused === 0 ? rate : `${rate}, ${refused} refused`, `${p50Ms} ms`, `${p99Ms} ms`];
}
