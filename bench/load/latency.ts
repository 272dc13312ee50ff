import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { LatencyFigures } from '../types.ts';
import { LATENCY_US_MAX } from './limits.ts';

/** Three digits, microseconds, at most LATENCY_US_MAX: about 100 KB, whatever is counted. */
export function createHistogram(): Histogram {
  return build({ highestTrackableValue: LATENCY_US_MAX, numberOfSignificantValueDigits: 3, autoResize: false });
}

export function recordMs(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.min(LATENCY_US_MAX, Math.max(0, Math.round(ms * 1000))));
}

export function percentileMs(histogram: Histogram, percentile: number): number {
  return histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percentile) / 1000;
}

export function latencyFigures(histogram: Histogram): LatencyFigures {
  return {
    count: histogram.totalCount,
    p50Ms: percentileMs(histogram, 50),
    p90Ms: percentileMs(histogram, 90),
    p95Ms: percentileMs(histogram, 95),
    p99Ms: percentileMs(histogram, 99),
    p999Ms: percentileMs(histogram, 99.9),
    maxMs: histogram.maxValue / 1000,
    histogram: encodeIntoCompressedBase64(histogram),
  };
}

/** Throws when the text is no histogram. */
export function decodeHistogram(figures: Pick<LatencyFigures, 'histogram'>): Histogram {
  return decodeFromCompressedBase64(figures.histogram) as Histogram;
}
