/**
 * What it is: the first cause of trouble in a scenario, named, so that nobody reads ten plots to find it.
 * How it works: rules over the samples of the watcher, each with a threshold. The earliest sample that breaks a rule
 *   wins; of several in one sample the first in the order of RULES, which goes from cause to consequence.
 * Its bounds: THRESHOLDS. Its proof: test/bench/watch/first-trouble.test.ts.
 */
import { milliseconds } from '../report/format.ts';
import type { LiveBox } from '../report/live.ts';
import type { WatchSample } from './watch-sample.ts';

export const THRESHOLDS = {
  memoryShare: 0.75, // above it the next spike may be the last
  eventLoopDelayP99Ms: 200, // everybody who is connected waits for it
  poolWaitingForSamples: 3, // somebody waits in every burst; in three samples in a row the pool is what is missing
  queueGrowsForSamples: 10, // a burst is worked off sooner
  replicaLagMs: 1_000,
  generatorElu: 0.7, // the generator's own rule for an inconclusive run (bench/load/limits.ts)
} as const;

const LOOK_BACK = Math.max(THRESHOLDS.queueGrowsForSamples, THRESHOLDS.poolWaitingForSamples);

type Rule = (sample: WatchSample, earlier: readonly WatchSample[]) => string | undefined;

const RULES: readonly Rule[] = [
  ({ boxes }) => inBox(boxes, ({ oomKills = 0 }) => oomKills > 0 && 'killed by the kernel for want of memory'),
  ({ deaths }) => deaths[0]?.split('\n')[0],
  ({ boxes }) =>
    inBox(boxes, ({ usedBytes, limitBytes }) => {
      const share = limitBytes > 0 ? usedBytes / limitBytes : 0;
      return share > THRESHOLDS.memoryShare && `memory ${Math.round(share * 100)} % of its limit`;
    }),
  ({ boxes }) =>
    inBox(
      boxes,
      ({ eventLoopDelayP99Ms: ms = 0 }) => ms > THRESHOLDS.eventLoopDelayP99Ms && `event loop ${milliseconds(ms)}`,
    ),
  ({ boxes }, earlier) =>
    inBox(
      boxes,
      ({ poolWaiting = 0 }, name) =>
        poolWaiting > 0 && waitedBefore(name, earlier) && `${poolWaiting} wait for a database connection`,
    ),
  ({ queued }, earlier) => (queueGrows(queued, earlier) ? `queue depth growing, ${queued}` : undefined),
  ({ replicaLagMs }) =>
    (replicaLagMs ?? 0) > THRESHOLDS.replicaLagMs
      ? `replica ${milliseconds(replicaLagMs as number)} behind`
      : undefined,
  ({ generator }) => {
    if (generator === undefined) return undefined;
    if (generator.dropped > 0) return `generator dropped ${generator.dropped} requests`;
    if (generator.elu <= THRESHOLDS.generatorElu) return undefined;
    return `generator late, busy ${Math.round(generator.elu * 100)} % of the time`;
  },
];

/** `api event loop 310 ms at 12 s`; undefined when nothing went wrong. Samples in the order in which they were taken. */
export function firstTrouble(samples: readonly WatchSample[]): string | undefined {
  for (const [index, sample] of samples.entries()) {
    const earlier = samples.slice(Math.max(0, index - LOOK_BACK), index);
    for (const rule of RULES) {
      const trouble = rule(sample, earlier);
      if (trouble !== undefined) return `${trouble} at ${Math.round(sample.elapsedSeconds)} s`;
    }
  }
  return undefined;
}

function inBox(boxes: WatchSample['boxes'], say: (box: LiveBox, name: string) => string | false): string | undefined {
  for (const [name, box] of Object.entries(boxes)) {
    const trouble = say(box, name);
    if (trouble !== false) return `${name} ${trouble}`;
  }
  return undefined;
}

function waitedBefore(name: string, earlier: readonly WatchSample[]): boolean {
  const others = THRESHOLDS.poolWaitingForSamples - 1;
  return earlier.length >= others && earlier.slice(-others).every(({ boxes }) => (boxes[name]?.poolWaiting ?? 0) > 0);
}

/** Deeper in each sample than in the one before, for as long as the threshold says. */
function queueGrows(queued: number | undefined, earlier: readonly WatchSample[]): boolean {
  if (queued === undefined || earlier.length < THRESHOLDS.queueGrowsForSamples) return false;
  const depths = [...earlier.slice(-THRESHOLDS.queueGrowsForSamples).map((sample) => sample.queued), queued];
  return depths.every((depth, index) => {
    const before = depths[index - 1];
    return index === 0 ? depth !== undefined : depth !== undefined && before !== undefined && depth > before;
  });
}
