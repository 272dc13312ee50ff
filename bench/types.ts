/** What the parts of the bench hand each other, and what a result file holds. Bytes, seconds, milliseconds as named. */

/** What one box used, from the kernel's own accounting. */
export interface BoxFigures {
  readonly limitBytes: number;
  readonly peakBytes: number;
  /** What the processes could not do without: the page cache of plain files left out. */
  readonly neededPeakBytes: number;
  readonly cpuSeconds: number;
  /** Time in which the box wanted to run and its CPU limit did not let it. */
  readonly throttledSeconds: number;
  readonly oomKills: number;
}

/** Latency from the intended start of each request, so that a stall is charged to everyone whom it kept waiting. */
export interface LatencyFigures {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** HdrHistogram, V2 compressed, base64: microseconds. */
  readonly histogram: string;
}

export interface LoadFigures {
  readonly offeredPerSecond: number;
  /** Right answers only: refused, failed and wrong ones do not count. */
  readonly achievedPerSecond: number;
  readonly latency: LatencyFigures;
  /** By route pattern or socket message. */
  readonly byRoute: Readonly<Record<string, LatencyFigures>>;
  /** By the name of the phase in which a request was due, where phases have names. */
  readonly byPhase?: Readonly<Record<string, LatencyFigures>>;
  /** Answers that the server gave at once to say no: 429 and 503. They are no part of `latency`. */
  readonly refusals: LatencyFigures;
  /** Refusals, 5xx, and answers that never came. Their number by kind is in `statuses`. */
  readonly failed: number;
  /** By status; `error:<code>` for answers that never came. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Wrong answers: the checker of the request said no. The first few, in words. */
  readonly wrong: number;
  readonly wrongSamples: readonly string[];
  readonly inFlightMax: number;
  /** At the end of each second: a line that keeps rising is a queue that nobody works off. */
  readonly inFlightPerSecond: readonly number[];
  /** Requests that could not start when they should have; the generator's own delay. */
  readonly lateStartP99Ms: number;
  /** Requests not sent because too many were in flight already. */
  readonly dropped: number;
  readonly generatorElu: number;
  /** Right answers per second, one entry per second. */
  readonly perSecond: readonly number[];
}

export interface ScenarioResult {
  readonly name: string;
  /** The slug of the promise that it proves. */
  readonly promise: string;
  /** The line of the promise, in words. */
  readonly line: string;
  /**
   * `inconclusive`: the run proves nothing (no enforced limit, generator too slow), and says why in `reasons`.
   * `not run`: this machine lacks what it needs, which `reasons` says.
   */
  readonly outcome: 'met' | 'not met' | 'inconclusive' | 'not run';
  /** Not met or inconclusive, it fails the run. Missing in results from before scenarios said so themselves. */
  readonly gates?: boolean;
  readonly pass: boolean;
  readonly reasons: readonly string[];
  /** The figures of the line first; units in the names. */
  readonly figures: Readonly<Record<string, number | string | boolean | null>>;
  readonly boxes: Readonly<Record<string, BoxFigures>>;
  readonly loads?: Readonly<Record<string, LoadFigures>>;
  /** Memory per box over time, for the plots: seconds since start, bytes. */
  readonly memory?: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  /** Routes and socket messages that it exercised, for the coverage check: `GET /api/v1/me`, `socket hello`. */
  readonly covers: readonly string[];
  readonly seconds: number;
}

export interface RunResult {
  readonly scenarios: readonly ScenarioResult[];
  /** Why the gate fails the run; empty when it passes. Results from before it was kept have none. */
  readonly faults?: readonly string[];
  readonly startedAt: string;
  readonly profile: string;
  readonly layout: 'nano-each' | 'one-nano';
  readonly commit: string;
  readonly dirty: boolean;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string | number>>;
  /** How limits are enforced: cgroup v2, cgroup v1, systemd-run, docker; `none` makes the run inconclusive. */
  readonly enforcedBy: string;
  readonly calibration: { readonly nullServerPerSecond: number; readonly elu: number };
  readonly seed: { readonly scale: number };
  readonly seconds: number;
}
