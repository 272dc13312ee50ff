import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LOOP_DELAY_KEPT_MS, RECENT_MS, RECENT_STEP_MS } from '../limits.ts';
import { cpuPeriods, usedMemoryBytes } from './cgroup.ts';
import { collectProcessMetrics } from './default-metrics.ts';
import { memoryLimit } from './memory-limit.ts';

/** The state of one process, for the operations page and the alerts. Bytes, milliseconds, CPU as a share of one core. */
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
  /** What each of them is, in words. */
  readonly words: Readonly<Record<string, string>>;
  /** What only the alerts look at, under the names of the metrics. */
  readonly own: Readonly<Record<string, number>>;
  /** What some of these are about, in words: of a number of deaths, who died. */
  readonly about?: Readonly<Record<string, string>>;
  /** By how much each counter has grown in the last RECENT_MS, under its name without `_total`. */
  readonly recent: Readonly<Record<string, number>>;
}

/** Undefined when it is not known now: then there is no sample, and no alert is judged by it. */
export type Read = () => number | undefined;

/** The same, by the values of a label. */
export type ReadBy = () => Readonly<Record<string, number>> | undefined;

/** Undefined when there is nothing to say. */
export type Say = () => string | undefined;

export interface Metrics {
  /**
   * Shown in /metrics and on the operations page, which takes `help` for its name and the unit from the end of `name`
   * (`_bytes`, `_seconds`, `_share`, `_per_second`); one that is 1 or 0 has a help that begins with "1 while". `read` must
   * be cheap and must not throw.
   */
  gauge(name: string, help: string, read: Read): void;
  /**
   * The same for /metrics and the alerts only: what the operations page shows elsewhere, or not at all. An alert about it
   * begins with the words of `about` where there are any, and with this process otherwise.
   */
  measure(name: string, help: string, read: Read, about?: Say): void;
  /** One that is the sum of these, by the values of the label, which are few: a series for each in /metrics. */
  measureBy(name: string, help: string, label: string, read: ReadBy, about?: Say): void;
  counter(name: string, help: string): Counter;
  /** One series for each combination of values: they must be few, and nothing that people send. */
  labelledCounter(name: string, help: string, labels: readonly string[]): Counter;
  histogram(
    name: string,
    help: string,
    of: { readonly labels: readonly string[]; readonly buckets: readonly number[] },
  ): Histogram;
  /** A counter that somebody else keeps: the kernel, a server. */
  total(name: string, help: string, read: Read): void;
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
  const gauges = new Map<string, Read>();
  const words: Record<string, string> = {};
  const own = new Map<string, Read>();
  const about = new Map<string, Say>();
  const growth = createGrowth();
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const startedAt = new Date().toISOString();
  let cpu = process.cpuUsage();
  let cpuAt = performance.now();
  /** Of the reports of the last LOOP_DELAY_KEPT_MS: a loop that stands still again and again has calm moments, too. */
  let lastDelays: { readonly at: number; readonly p99: number }[] = [];

  function expose(gaugeName: string, help: string, read: Read): void {
    new Gauge({
      name: `tardigrade_${gaugeName}`,
      help,
      registers: [registry],
      collect() {
        const value = read();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }

  function measure(gaugeName: string, help: string, read: Read, say?: Say): void {
    own.set(gaugeName, read);
    if (say !== undefined) about.set(gaugeName, say);
    expose(gaugeName, help, read);
  }

  function total(totalName: string, help: string, read: Read): void {
    growth.watch(totalName, async () => read(), { fromZero: false });
    new Counter({
      name: `tardigrade_${totalName}_total`,
      help,
      registers: [registry],
      collect() {
        const value = read();
        this.remove();
        if (value !== undefined) this.inc(value);
      },
    });
  }

  measure('memory_used_bytes', 'Memory that counts against the limit', () => usedBytes());
  measure('memory_limit_bytes', 'The limit that the kernel enforces, or that is assumed', () => memoryLimit().bytes);
  measure(
    'event_loop_delay_seconds',
    'The worst p99 of the last reports',
    () => Math.max(0, ...lastDelays.map(({ p99 }) => p99)) / 1_000,
  );
  total('cpu_periods', 'Periods in which the container wanted to run', () => cpuPeriods()?.all);
  total('cpu_periods_throttled', 'Those in which its quota was used up', () => cpuPeriods()?.throttled);

  return {
    gauge(gaugeName, help, read) {
      gauges.set(gaugeName, read);
      words[gaugeName] = help;
      expose(gaugeName, help, read);
    },
    measure,
    measureBy(gaugeName, help, label, read, say) {
      own.set(gaugeName, () => {
        const values = read();
        return values && Object.values(values).reduce((sum, value) => sum + value, 0);
      });
      if (say !== undefined) about.set(gaugeName, say);
      new Gauge({
        name: `tardigrade_${gaugeName}`,
        help,
        labelNames: [label],
        registers: [registry],
        collect() {
          this.reset();
          for (const [value, number] of Object.entries(read() ?? {})) this.set({ [label]: value }, number);
        },
      });
    },
    counter(counterName, help) {
      const counter = new Counter({ name: `tardigrade_${counterName}_total`, help, registers: [registry] });
      growth.watch(counterName, async () => sumOf(await counter.get()), { fromZero: true });
      return counter;
    },
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
    total,
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
      const delays = { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) };
      lastDelays.push({ at: cpuAt, p99: delays.p99 });
      lastDelays = lastDelays.filter(({ at }) => cpuAt - at < LOOP_DELAY_KEPT_MS);
      delay.reset();
      return {
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
          containerUsedBytes: (limit.source === 'container' ? usedMemoryBytes() : undefined) ?? null,
        },
        cpuShare: elapsedMs > 0 ? Math.round((used.user + used.system) / elapsedMs) / 1_000 : 0,
        eventLoopDelayMs: delays,
        gauges: valuesOf(gauges),
        words,
        own: valuesOf(own),
        about: valuesOf(about),
        recent: growth.recent(),
      };
    },
  };
}

/** Of the container if there is one: what else runs in it can get this process killed too. */
function usedBytes(): number {
  return (memoryLimit().source === 'container' ? usedMemoryBytes() : undefined) ?? process.memoryUsage.rss();
}

function valuesOf<T>(reads: ReadonlyMap<string, () => T | undefined>): Record<string, T> {
  const values = [...reads].map(([name, read]) => [name, read()] as const);
  return Object.fromEntries(values.filter((entry): entry is [string, T] => entry[1] !== undefined));
}

function sumOf({ values }: { values: readonly { value: number }[] }): number {
  return values.reduce((sum, { value }) => sum + value, 0);
}

interface Growth {
  /** `fromZero`: what it counts began with this process, so its first value is growth as well. */
  watch(name: string, read: () => Promise<number | undefined>, options: { readonly fromZero: boolean }): void;
  /** Over the last RECENT_MS. Also looks at all counters again, for the next call: prom-client answers with promises. */
  recent(): Record<string, number>;
}

/** Holds RECENT_MS / RECENT_STEP_MS values of each counter. */
function createGrowth(): Growth {
  const counters = new Map<
    string,
    { read: () => Promise<number | undefined>; seen: { at: number; value: number }[] }
  >();

  async function look(): Promise<void> {
    for (const { read, seen } of counters.values()) {
      const value = await read();
      if (value === undefined) continue;
      const at = performance.now();
      const last = seen.at(-1);
      // The last one is always the latest; one before it is kept per step, and the oldest is just beyond the window.
      if (last !== undefined && seen.length > 1 && at - (seen.at(-2)?.at ?? at) < RECENT_STEP_MS) seen.pop();
      if (last !== undefined && value < last.value) seen.length = 0; // its keeper began anew
      seen.push({ at, value });
      while (seen.length > 2 && at - (seen[1]?.at ?? at) >= RECENT_MS) seen.shift();
    }
  }

  return {
    watch(name, read, { fromZero }) {
      counters.set(name, { read, seen: fromZero ? [{ at: performance.now(), value: 0 }] : [] });
    },
    recent() {
      void look();
      return Object.fromEntries(
        [...counters].flatMap(([name, { seen }]) =>
          seen.length < 2 ? [] : [[name, (seen.at(-1)?.value ?? 0) - (seen[0]?.value ?? 0)]],
        ),
      );
    },
  };
}
