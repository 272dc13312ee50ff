import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { collectProcessMetrics } from './default-metrics.ts';
import { containerUsedBytes, memoryLimit } from './memory-limit.ts';

/** The state of one process, for the operations page. Bytes, milliseconds, CPU as a share of one core. */
export interface ProcessReport {
  readonly name: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly reportedAt: string;
  readonly memory: {
    readonly rssBytes: number;
    readonly heapUsedBytes: number;
    readonly heapLimitBytes: number;
    readonly limitBytes: number;
    readonly limitIsEnforced: boolean;
    readonly containerUsedBytes: number | null;
  };
  readonly cpuShare: number;
  readonly eventLoopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Pools, queues, sockets: everything that the process's parts registered. */
  readonly gauges: Readonly<Record<string, number>>;
}

export interface Metrics {
  /** Shown in /metrics and on the operations page. `read` must be cheap and must not throw. */
  gauge(name: string, help: string, read: () => number): void;
  counter(name: string, help: string): Counter;
  /** One series for each combination of values: they must be few, and nothing that people send. */
  labelledCounter(name: string, help: string, labels: readonly string[]): Counter;
  histogram(
    name: string,
    help: string,
    of: { readonly labels: readonly string[]; readonly buckets: readonly number[] },
  ): Histogram;
  /** The Prometheus text format. */
  text(): Promise<string>;
  /**
   * Covers the time since the last call: delays are reset, so that the page shows the present, not the average since
   * start.
   */
  report(): ProcessReport;
}

const DELAY_RESOLUTION_MS = 20;

export function createMetrics(name: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process: name });
  collectProcessMetrics(registry);
  const gauges = new Map<string, () => number>();
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const startedAt = new Date().toISOString();
  let cpu = process.cpuUsage();
  let cpuAt = performance.now();

  return {
    gauge(gaugeName, help, read) {
      gauges.set(gaugeName, read);
      new Gauge({
        name: `tardigrade_${gaugeName}`,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    },
    counter: (counterName, help) =>
      new Counter({ name: `tardigrade_${counterName}_total`, help, registers: [registry] }),
    labelledCounter: (counterName, help, labelNames) =>
      new Counter({ name: `tardigrade_${counterName}_total`, help, labelNames, registers: [registry] }),
    histogram: (histogramName, help, { labels, buckets }) =>
      new Histogram({
        name: `tardigrade_${histogramName}`,
        help,
        labelNames: labels,
        buckets: [...buckets],
        registers: [registry],
      }),
    text: () => registry.metrics(),
    report() {
      const used = process.cpuUsage(cpu);
      const elapsedMs = performance.now() - cpuAt;
      cpu = process.cpuUsage();
      cpuAt = performance.now();
      const limit = memoryLimit();
      const memory = process.memoryUsage();
      // The histogram counts the time between two ticks; the resolution itself is not delay.
      const late = (nanoseconds: number) =>
        Number.isFinite(nanoseconds) ? Math.max(0, Math.round(nanoseconds / 1e5 - DELAY_RESOLUTION_MS * 10) / 10) : 0;
      const report: ProcessReport = {
        name,
        pid: process.pid,
        startedAt,
        reportedAt: new Date().toISOString(),
        memory: {
          rssBytes: memory.rss,
          heapUsedBytes: memory.heapUsed,
          heapLimitBytes: getHeapStatistics().heap_size_limit,
          limitBytes: limit.bytes,
          limitIsEnforced: limit.source !== 'assumed',
          containerUsedBytes: (limit.source === 'container' ? containerUsedBytes() : undefined) ?? null,
        },
        cpuShare: elapsedMs > 0 ? Math.round((used.user + used.system) / elapsedMs) / 1_000 : 0,
        eventLoopDelayMs: { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) },
        gauges: Object.fromEntries([...gauges].map(([gaugeName, read]) => [gaugeName, read()])),
      };
      delay.reset();
      return report;
    },
  };
}
