import { megabytes, number } from './format.ts';
import type { HistoryEntry } from './history.ts';
import { type Axis, drawPlot, type Series } from './plot.ts';

const RUNS_MIN = 2;
const TICKS = 5;

/** Memory and counters over the runs of the main branch; empty for fewer than two runs. */
export function historyPlots(history: readonly HistoryEntry[]): string[] {
  if (history.length < RUNS_MIN) return [];
  const boxes = [...new Set(history.flatMap(({ memory }) => Object.keys(memory)))];
  const memory = boxes.map((box) => seriesOf(history, box, (entry) => entry.memory[box]));
  const totals = ['queries', 'rows', 'bytes'].map((unit) =>
    seriesOf(history, unit, ({ counters }) => {
      const values = Object.entries(counters).filter(([name]) => name.endsWith(`: ${unit}`));
      return values.reduce((sum, [, value]) => sum + value, 0);
    }),
  );
  const x = axis(0, history.length - 1, (nth) => history[Math.round(nth)]?.commit.slice(0, 7) ?? '');
  return [
    drawPlot({ title: 'Most memory needed, by box', series: memory, x, y: axis(0, highest(memory), megabytes) }),
    // As a share of the first run: the units differ, their direction is what counts.
    drawPlot({
      title: 'All counted requests together, as a share of the first run',
      series: totals.map(relative),
      x,
      y: axis(0, Math.max(1.25, highest(totals.map(relative))), (share) => `${number(share * 100)} %`),
    }),
  ];
}

function seriesOf(
  history: readonly HistoryEntry[],
  name: string,
  read: (entry: HistoryEntry) => number | undefined,
): Series {
  const points = history.flatMap((entry, nth) => {
    const value = read(entry);
    return value === undefined ? [] : [[nth, value] as const];
  });
  return { name, points };
}

function relative({ name, points }: Series): Series {
  const first = points[0]?.[1] || 1;
  return { name, points: points.map(([nth, value]) => [nth, value / first] as const) };
}

function highest(series: readonly Series[]): number {
  return Math.max(1, ...series.flatMap(({ points }) => points.map(([, value]) => value)));
}

function axis(from: number, to: number, label: (value: number) => string): Axis {
  const ticks = Array.from({ length: TICKS }, (_, nth) => from + ((to - from) * nth) / (TICKS - 1));
  return { scale: 'linear', ticks, label };
}
