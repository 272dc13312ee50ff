/** Every scenario in the order in which they run: the platform's, with those of the modules among them. */
import type { LoadedBench } from '../module-bench.ts';
import { alertsFire } from './alerts.ts';
import { attacks } from './attacks.ts';
import { baseline } from './baseline.ts';
import { chaos } from './chaos.ts';
import { counters } from './counters.ts';
import { creditsGone } from './credits-gone.ts';
import { evenLoad } from './even-load.ts';
import { fourTimesData } from './four-times-data.ts';
import { oneNano } from './one-nano.ts';
import { overload } from './overload.ts';
import { primaryHung } from './primary-hung.ts';
import { primaryLost } from './primary-lost.ts';
import { primaryLostAsynchronously } from './primary-lost-asynchronously.ts';
import { ramp } from './ramp.ts';
import { rollingReplacement } from './rolling-replacement.ts';
import type { OwnLayoutScenario, Scenario } from './scenario.ts';
import { soak } from './soak.ts';

export interface AllScenarios {
  /** First, because their layouts must be the only ones, and what they load counts for the coverage. */
  readonly ownLayout: readonly OwnLayoutScenario[];
  /** Each part in a nano of its own. The knee is known before the overload, and what kills processes comes last. */
  readonly nanoEach: readonly Scenario[];
  readonly oneNano: readonly Scenario[];
}

export async function allScenarios(benches: readonly LoadedBench[]): Promise<AllScenarios> {
  const faces = await Promise.all(benches.map(async (bench) => bench.scenarios?.()));
  const own = faces.flatMap((face) => face?.scenarios ?? []);
  const calm = own.filter(({ kills }) => kills !== true);
  const killing = own.filter(({ kills }) => kills === true);
  return {
    ownLayout: [
      fourTimesData,
      evenLoad,
      rollingReplacement,
      alertsFire,
      primaryLost,
      primaryHung,
      primaryLostAsynchronously,
      ...faces.flatMap((face) => face?.ownLayout ?? []),
    ],
    nanoEach: [baseline, counters, ramp, overload, attacks, ...calm, soak, creditsGone, ...killing, chaos],
    oneNano: [oneNano],
  };
}
