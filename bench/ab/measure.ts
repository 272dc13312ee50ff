import { ELU_MAX, LATE_START_P99_MS_MAX } from '../load/limits.ts';
import { startLoad } from '../load/start-load.ts';
import { failuresOf } from '../scenarios/scenario.ts';
import type { AbOptions } from './options.ts';
import type { Side } from './start-side.ts';

/** Less is better, in each. */
export const FIGURES = ['p50', 'p95', 'p99', 'CPU s per 1,000'] as const;
export type Figure = (typeof FIGURES)[number];

export interface Measured {
  readonly figures: Record<Figure, number>;
  /** The generator's own delay was part of the times. */
  readonly isLate: boolean;
}

/** A side that slept while the other was asked wakes up uncounted, and so does the generator. */
const WARM_UP_SECONDS = 2;

/** The same seed asks both sides the same. @throws when an answer was not right: times of wrong answers are no times */
export async function measure(side: Side, seed: number, { seconds, rate, mix }: AbOptions): Promise<Measured> {
  const { url, accounts } = side;
  const before = await side.cpuSeconds();
  const load = await startLoad({
    kind: 'open-loop',
    url,
    accounts,
    mix,
    seed,
    arrivals: 'poisson',
    phases: [{ seconds: WARM_UP_SECONDS + seconds, perSecond: rate }],
    warmUpSeconds: WARM_UP_SECONDS,
  }).figures;
  // With that of the warm-up, which is as long on either side: for the ratio it is all the same.
  const used = (await side.cpuSeconds()) - before;
  const { refused, failed, wrong, all } = failuresOf({ load });
  if (all + load.dropped > 0)
    throw new Error(
      `${refused} refused, ${failed} failed, ${wrong} wrong, ${load.dropped} dropped at ${url}: ${load.wrongSamples[0] ?? ''}`,
    );
  const { p50Ms: p50, p95Ms: p95, p99Ms: p99, count } = load.latency;
  return {
    figures: { p50, p95, p99, 'CPU s per 1,000': (used / count) * 1_000 },
    isLate: load.generatorElu > ELU_MAX || load.lateStartP99Ms > LATE_START_P99_MS_MAX,
  };
}
