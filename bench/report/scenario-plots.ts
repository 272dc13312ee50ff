import { decodeHistogram, percentileMs } from '../load/latency.ts';
import type { LoadFigures, ScenarioResult } from '../types.ts';
import { duration, megabytes, milliseconds, number } from './format.ts';
import { type Axis, drawBars, drawPlot, linearTicks, logTicks, type Series } from './plot.ts';

const PERCENTILES = [50, 90, 99, 99.9, 99.99, 99.999];
const POINTS_PER_DECADE = 24;
const POINTS_MAX = 400;
const BYTES_STEP = 128 * 1024 * 1024;

/** The plots of one scenario, as far as there is something to draw. */
export function scenarioPlots(scenario: ScenarioResult): string[] {
  const loads = Object.entries(scenario.loads ?? {});
  return [latencyPlot(loads), throughputPlot(loads), memoryPlot(scenario), cpuPlot(scenario)].filter(
    (plot) => plot !== undefined,
  );
}

/** By 1/(1-p): each step to the right is a tenth as many requests, and the tail is as wide as the body. */
function latencyPlot(loads: [string, LoadFigures][]): string | undefined {
  const series = loads.filter(([, { latency }]) => latency.count > 0).map(([name, load]) => percentileLine(name, load));
  if (series.length === 0) return undefined;
  const values = series.flatMap(({ points }) => points.map(([, ms]) => ms));
  const last = Math.max(...series.map(({ points }) => points.at(-1)?.[0] ?? 0));
  const ticks = PERCENTILES.map(inverse).filter((tick) => tick <= last * 1.001);
  const x: Axis = {
    scale: 'log',
    ticks: [1, ...ticks, ...(last > (ticks.at(-1) ?? 0) ? [last] : [])],
    label: percentileLabel,
  };
  const y: Axis = { scale: 'log', ticks: logTicks(Math.min(...values), Math.max(...values)), label: shortMs };
  return drawPlot({ title: 'Latency by percentile, from the intended start', series, x, y });
}

const inverse = (percentile: number) => 100 / (100 - percentile);
const percentileLabel = (at: number) => {
  const percentile = PERCENTILES.find((known) => Math.abs(inverse(known) / at - 1) < 0.001);
  return percentile === undefined ? '' : `${percentile} %`;
};
const shortMs = (ms: number) => (ms < 1 ? `${ms} ms` : ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);

function percentileLine(name: string, { latency }: LoadFigures): Series {
  const histogram = decodeHistogram(latency);
  const steps = Math.floor(Math.log10(Math.max(10, latency.count)) * POINTS_PER_DECADE);
  const points = Array.from({ length: steps + 1 }, (_, step) => {
    const at = 10 ** (step / POINTS_PER_DECADE);
    return [at, Math.max(0.1, percentileMs(histogram, 100 * (1 - 1 / at)))] as const;
  });
  return { name: `${name}: p99 ${milliseconds(latency.p99Ms)}`, points };
}

function throughputPlot(loads: [string, LoadFigures][]): string | undefined {
  const series = loads
    .filter(([, { perSecond }]) => perSecond.length > 1)
    // The last second is what was left over, and seldom a whole one.
    .map(([name, { perSecond }]) => ({
      name,
      points: thinned(perSecond.slice(0, -1).map((count, second) => [second, count])),
    }));
  if (series.length === 0) return undefined;
  return drawPlot({ title: 'Right answers a second', series, x: timeAxis(series), y: upTo(series, number) });
}

function memoryPlot({ memory = {}, boxes }: ScenarioResult): string | undefined {
  const lines = Object.entries(memory).filter(([, points]) => points.length > 1);
  if (lines.length === 0) return undefined;
  const series = lines.map(([name, points]) => ({ name, points: thinned(points) }));
  const last = Math.max(...series.map(({ points }) => points.at(-1)?.[0] ?? 0));
  const limits = [...new Set(lines.map(([name]) => boxes[name]?.limitBytes ?? 0))].filter((bytes) => bytes > 0);
  const most = Math.max(...limits, ...series.flatMap(({ points }) => points.map(([, bytes]) => bytes)));
  const ticks = Array.from({ length: Math.ceil(most / BYTES_STEP) + 1 }, (_, index) => index * BYTES_STEP);
  const limitLines = limits.map((bytes) => ({
    name: `limit ${megabytes(bytes)}`,
    points: [
      [0, bytes],
      [last, bytes],
    ] as const,
    dashed: true,
  }));
  const title = `Memory of each box, limit ${limits.map(megabytes).join(', ') || 'none'}`;
  const y: Axis = { scale: 'linear', ticks, label: megabytes };
  return drawPlot({ title, series: [...limitLines, ...series], x: timeAxis(series), y });
}

function cpuPlot({ boxes, loads = {} }: ScenarioResult): string | undefined {
  const answers = Object.values(loads).reduce((sum, { latency }) => sum + latency.count, 0);
  const used = Object.entries(boxes).filter(([, { cpuSeconds }]) => cpuSeconds > 0);
  if (answers === 0 || used.length === 0) return undefined;
  const bars = used.map(([name, { cpuSeconds }]) => {
    const ms = (cpuSeconds * 1000) / answers;
    return { name, value: ms, label: `${number(ms)} ms` };
  });
  return drawBars(`CPU per answer, of ${answers.toLocaleString('en')}`, bars);
}

function timeAxis(series: readonly Series[]): Axis {
  const last = Math.max(1, ...series.map(({ points }) => points.at(-1)?.[0] ?? 0));
  const ticks = linearTicks(last).filter((tick) => tick <= last);
  if ((ticks.at(-1) as number) < last) ticks.push(last);
  // The end has no label unless it is one of the round ones: two of them would run into each other.
  const round = new Set(linearTicks(last));
  return { scale: 'linear', ticks, label: (seconds) => (round.has(seconds) ? duration(seconds) : '') };
}

function upTo(series: readonly Series[], label: Axis['label']): Axis {
  const most = Math.max(1, ...series.flatMap(({ points }) => points.map(([, value]) => value)));
  return { scale: 'linear', ticks: linearTicks(most), label };
}

/** At most POINTS_MAX, of each group the highest: a peak is what one looks for. */
function thinned(points: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const group = Math.ceil(points.length / POINTS_MAX);
  if (group <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / group) }, (_, index) =>
    points
      .slice(index * group, (index + 1) * group)
      .reduce((highest, point) => (point[1] > highest[1] ? point : highest)),
  );
}
