import { lastSecond } from '../layout/memory-samples.ts';
import { median, round } from '../numbers.ts';
import { loadsOf, startDay } from './day.ts';
import { failuresOf, type Scenario } from './scenario.ts';

const PER_SECOND = 60;
/** The heap of a young process grows to its working size first, whatever ran before. */
const WARM_UP_SECONDS = 6;
const SECONDS = { ci: 20, full: 900 };
const MB = 1024 * 1024;
/** In a short soak a slope is mostly warming up: only the full profile judges it. */
const GROWTH_MB_PER_HOUR_MAX = 20;
/** From the first to the last seconds of any soak. Far above the tide of a heap; 60 KB kept of each request reach it. */
const GROWTH_MB_MAX = 64;
const ENDS_SAMPLES = 4;

/**
 * A steady load for a long time: memory does not grow. Every process must work: the heap of one that idles creeps up for
 * minutes, until its first collection. The slope is Theil and Sen's: the median of all pairwise slopes.
 */
export const soak: Scenario = {
  name: 'soak',
  promise: 'fits-nano',
  line: `memory of api, mailer and chat does not grow over a soak (under ${GROWTH_MB_MAX} MB in all; in the full profile under ${GROWTH_MB_PER_HOUR_MAX} MB an hour)`,

  async run(context) {
    const { layout, profile } = context;
    const seconds = SECONDS[profile];
    const begun = lastSecond(layout.memorySamples());
    const day = await startDay(context, { seconds: WARM_UP_SECONDS + seconds, perSecond: PER_SECOND, seed: 19 });
    const loads = loadsOf(await day.ended);

    const samples = Object.entries(layout.memorySamples()).filter(([box]) => PROCESSES.has(box));
    const since = (list: Samples, from: number) => list.filter(([at]) => at > begun + from);
    const grown = samples.map(([box, list]) => ({ box, mb: round(growth(since(list, WARM_UP_SECONDS)) / MB) }));
    const steady = WARM_UP_SECONDS + seconds / 3;
    const slopes = samples.map(([box, list]) => ({ box, mb: round((slope(since(list, steady)) * 3600) / MB) }));
    const steepest = Math.max(...slopes.map(({ mb }) => mb));
    const { failed, wrong, refused, all } = failuresOf(loads);
    return {
      conditions: [
        ...grown.map(({ box, mb }) => ({
          says: `memory of ${box} grows by less than ${GROWTH_MB_MAX} MB (${mb} MB in ${seconds} s)`,
          holds: mb < GROWTH_MB_MAX,
        })),
        { says: `nothing failed (${failed}), wrong (${wrong}), refused (${refused})`, holds: all === 0 },
        {
          says: `steepest growth ${steepest} MB an hour, under ${GROWTH_MB_PER_HOUR_MAX}`,
          holds: profile !== 'full' || steepest < GROWTH_MB_PER_HOUR_MAX,
        },
      ],
      figures: {
        seconds,
        ...Object.fromEntries(grown.map(({ box, mb }) => [`${box}GrownMb`, mb])),
        leaking: grown.filter(({ mb }) => mb >= GROWTH_MB_MAX).length,
        ...Object.fromEntries(slopes.map(({ box, mb }) => [`${box}MbPerHour`, mb])),
      },
      loads,
    };
  },
};

type Samples = readonly (readonly [number, number])[];

const PROCESSES = new Set(['api', 'mailer', 'chat', 'nano']);

/** Bytes between the first and the last few samples, each by their median: one tide of the heap is no growth. */
export function growth(samples: Samples): number {
  if (samples.length === 0) return 0;
  const middle = (part: Samples) => median(part.map(([, bytes]) => bytes));
  return middle(samples.slice(-ENDS_SAMPLES)) - middle(samples.slice(0, ENDS_SAMPLES));
}

/** Bytes per second; 0 for fewer than two samples. */
export function slope(samples: Samples): number {
  const slopes: number[] = [];
  for (const [index, [at, bytes]] of samples.entries())
    for (const [laterAt, laterBytes] of samples.slice(index + 1)) slopes.push((laterBytes - bytes) / (laterAt - at));
  return slopes.length === 0 ? 0 : median(slopes);
}
