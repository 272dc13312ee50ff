import { OFFICE_DAY, routesOf } from '../load/mixes.ts';
import { startLoad } from '../load/start-load.ts';
import { failedOf, round, type Scenario, unmet } from './scenario.ts';

const PER_SECOND = 60;
const SECONDS = { ci: 20, full: 900 };
const MB = 1024 * 1024;
/** In a short soak a slope is mostly warming up: only the full profile judges it. */
const GROWTH_MB_PER_HOUR_MAX = 20;

/** A steady load for a long time: memory does not grow. The slope is Theil and Sen's: the median of all pairwise slopes. */
export const soak: Scenario = {
  name: 'soak',
  promise: 'fits-nano',
  line: `memory of api, mailer and chat does not grow over a soak (judged in the full profile: under ${GROWTH_MB_PER_HOUR_MAX} MB an hour)`,

  async run({ layout, accounts, profile, onSample }) {
    const seconds = SECONDS[profile];
    const from = seconds / 3;
    const begun = lastSecond(layout.memorySamples());
    const figures = await startLoad(
      {
        kind: 'open-loop',
        url: layout.addresses.api,
        arrivals: 'poisson',
        seed: 19,
        phases: [{ seconds, perSecond: PER_SECOND }],
        mix: OFFICE_DAY,
        accounts,
      },
      onSample,
    ).figures;
    const slopes = Object.fromEntries(
      Object.entries(layout.memorySamples())
        .filter(([box]) => ['api', 'mailer', 'chat', 'nano'].includes(box))
        .map(([box, samples]) => [
          `${box}MbPerHour`,
          round((slope(samples.filter(([at]) => at > begun + from)) * 3600) / MB),
        ]),
    );
    const { failed, wrong, refused } = failedOf(figures);
    const steepest = Math.max(...Object.values(slopes));
    const judged = profile === 'full';
    return {
      met: failed + wrong + refused === 0 && (!judged || steepest < GROWTH_MB_PER_HOUR_MAX),
      reasons: unmet({
        [`nothing failed (${failed}), wrong (${wrong}), refused (${refused})`]: failed + wrong + refused === 0,
        [`steepest growth ${steepest} MB an hour, under ${GROWTH_MB_PER_HOUR_MAX}`]:
          !judged || steepest < GROWTH_MB_PER_HOUR_MAX,
      }),
      figures: { seconds, ...slopes },
      loads: { soak: figures },
      covers: routesOf(figures.byRoute),
    };
  },
};

function lastSecond(samples: Readonly<Record<string, readonly (readonly [number, number])[]>>): number {
  return Math.max(0, ...Object.values(samples).map((list) => list.at(-1)?.[0] ?? 0));
}

/** Bytes per second; 0 for fewer than two samples. */
export function slope(samples: readonly (readonly [number, number])[]): number {
  const slopes: number[] = [];
  for (const [index, [at, bytes]] of samples.entries())
    for (const [laterAt, laterBytes] of samples.slice(index + 1)) slopes.push((laterBytes - bytes) / (laterAt - at));
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? 0;
}
