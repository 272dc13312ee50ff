import { performance } from 'node:perf_hooks';
import type { Histogram } from 'hdr-histogram-js';
import type { LoadFigures } from '../types.ts';
import { createHistogram, latencyFigures, percentileMs, recordMs } from './latency.ts';
import { WRONG_SAMPLE_CHARS_MAX, WRONG_SAMPLES_MAX } from './limits.ts';
import type { LoadSample } from './plan.ts';

export interface Outcome {
  readonly status: number;
  readonly error?: string;
}

/** Counts everything that the generator sees. Times of requests are their intended starts, in ms since `start()`. */
export interface Meter {
  /** performance.now() at the start. */
  readonly startedAt: number;
  start(): void;
  due(dueMs: number, inFlight: number): void;
  started(dueMs: number): void;
  dropped(dueMs: number): void;
  /** `phase`: the name of the one in which it was due, if it has one. */
  finished(route: string, dueMs: number, outcome: Outcome, wrong: string | undefined, phase?: string): void;
  /** Nothing is due any more: what comes later counts for latency, not for throughput. */
  windowEnds(): void;
  sample(inFlight: number): LoadSample;
  figures(): LoadFigures;
}

export function createMeter({ seconds, warmUpSeconds }: { seconds: number; warmUpSeconds: number }): Meter {
  const latency = createHistogram();
  const refusals = createHistogram();
  const lateStarts = createHistogram();
  const lastSecond = createHistogram();
  const byRoute = new Map<string, Histogram>();
  const byPhase = new Map<string, Histogram>();
  const statuses: Record<string, number> = {};
  const perSecond: number[] = [];
  const inFlightPerSecond: number[] = [];
  const wrongSamples: string[] = [];
  const countFromMs = warmUpSeconds * 1000;
  const counts = { offered: 0, failed: 0, wrong: 0, dropped: 0, inFlightMax: 0, rightInWindow: 0, sinceSample: 0 };
  let startedAt = performance.now();
  let windowEndMs = Number.POSITIVE_INFINITY;
  let eluFrom = performance.eventLoopUtilization();
  let eluSample = eluFrom;
  let elu: number | undefined;
  let counting = false;

  const counted = (dueMs: number) => dueMs >= countFromMs;
  const nowMs = () => performance.now() - startedAt;

  return {
    get startedAt() {
      return startedAt;
    },
    start() {
      startedAt = performance.now();
      eluFrom = performance.eventLoopUtilization();
      eluSample = eluFrom;
    },
    due(dueMs, inFlight) {
      if (!counted(dueMs)) return;
      if (!counting) {
        counting = true;
        eluFrom = performance.eventLoopUtilization();
      }
      counts.offered++;
      counts.inFlightMax = Math.max(counts.inFlightMax, inFlight);
    },
    started(dueMs) {
      if (counted(dueMs)) recordMs(lateStarts, nowMs() - dueMs);
    },
    dropped(dueMs) {
      if (counted(dueMs)) counts.dropped++;
    },
    finished(route, dueMs, { status, error }, wrong, phase) {
      const doneMs = nowMs();
      if (wrong !== undefined) {
        counts.wrong++;
        if (wrongSamples.length < WRONG_SAMPLES_MAX) wrongSamples.push(wrong.slice(0, WRONG_SAMPLE_CHARS_MAX));
      }
      const refused = error === undefined && (status === 429 || status === 503);
      const failed = error !== undefined || refused || status >= 500;
      if (!failed && wrong === undefined) {
        counts.sinceSample++;
        if (doneMs >= countFromMs && doneMs <= windowEndMs) counts.rightInWindow++;
        const second = Math.floor(doneMs / 1000);
        while (perSecond.length <= second) perSecond.push(0);
        perSecond[second] = (perSecond[second] as number) + 1;
      }
      recordMs(lastSecond, doneMs - dueMs);
      if (!counted(dueMs)) return;
      if (failed) counts.failed++;
      const kind = error === undefined ? String(status) : `error:${error}`;
      statuses[kind] = (statuses[kind] ?? 0) + 1;
      if (refused) return recordMs(refusals, doneMs - dueMs);
      recordMs(latency, doneMs - dueMs);
      recordUnder(byRoute, route, doneMs - dueMs);
      if (phase !== undefined) recordUnder(byPhase, phase, doneMs - dueMs);
    },
    windowEnds() {
      windowEndMs = nowMs();
      elu = performance.eventLoopUtilization(eluFrom).utilization;
    },
    sample(inFlight) {
      inFlightPerSecond.push(inFlight);
      const p99Ms = percentileMs(lastSecond, 99);
      lastSecond.reset();
      const right = counts.sinceSample;
      counts.sinceSample = 0;
      const since = performance.eventLoopUtilization(eluSample);
      eluSample = performance.eventLoopUtilization();
      const { failed, wrong, dropped } = counts;
      return {
        atSeconds: nowMs() / 1000,
        dueSeconds: seconds,
        perSecond: right,
        p99Ms,
        inFlight,
        failed,
        wrong,
        dropped,
        elu: since.utilization,
      };
    },
    figures() {
      const window = (Math.min(windowEndMs, seconds * 1000) - countFromMs) / 1000;
      return {
        offeredPerSecond: window > 0 ? counts.offered / window : 0,
        achievedPerSecond: window > 0 ? counts.rightInWindow / window : 0,
        latency: latencyFigures(latency),
        byRoute: figuresUnder(byRoute),
        ...(byPhase.size === 0 ? {} : { byPhase: figuresUnder(byPhase) }),
        refusals: latencyFigures(refusals),
        failed: counts.failed,
        statuses,
        wrong: counts.wrong,
        wrongSamples,
        inFlightMax: counts.inFlightMax,
        inFlightPerSecond,
        lateStartP99Ms: percentileMs(lateStarts, 99),
        dropped: counts.dropped,
        generatorElu: elu ?? performance.eventLoopUtilization(eluFrom).utilization,
        perSecond,
      };
    },
  };
}

function recordUnder(histograms: Map<string, Histogram>, name: string, ms: number): void {
  const histogram = histograms.get(name) ?? createHistogram();
  histograms.set(name, histogram);
  recordMs(histogram, ms);
}

function figuresUnder(histograms: ReadonlyMap<string, Histogram>): LoadFigures['byRoute'] {
  return Object.fromEntries([...histograms].sort().map(([name, histogram]) => [name, latencyFigures(histogram)]));
}
