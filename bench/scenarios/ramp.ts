import { inconclusiveReasons } from '../load/calibration.ts';
import type { CapacityFigures } from '../load/closed-loop.ts';
import { startLoad } from '../load/start-load.ts';
import type { ModuleBench } from '../module-bench.ts';
import { round } from '../numbers.ts';
import type { LoadFigures } from '../types.ts';
import { failuresOf, type Scenario, type ScenarioContext } from './scenario.ts';

const START_PER_SECOND = 60;
/** "Increase the load at a rate of no more than 50 percent": AWS' advice for load tests of balancers. */
const STEP_FACTOR = 1.5;
const STEP_SECONDS = { ci: 3, full: 15 };
const STEPS_MAX = 10;
const PRECISION = 0.07;
const CAPACITY_CONNECTIONS = 32;
const CAPACITY_SECONDS = 3;
const P99_MS_MAX = 1_000;
const ACHIEVED_MIN = 0.98;
const FAILED_MAX = 0.001;

/**
 * The knee is the saturation rate: up to it latency stays flat, beyond it the queue grows. Steps of at most 50 % until
 * one does not hold, then the middle of the last two, again and again, until they are close.
 */
export const ramp: Scenario = {
  name: 'ramp',
  promise: 'bends-not-breaks',
  line: `the knee: the highest rate of a day's mix with p99 under ${P99_MS_MAX} ms, ${ACHIEVED_MIN * 100} % of it answered, nothing wrong`,

  async run(context) {
    const loads: Record<string, LoadFigures> = {};
    const steps: string[] = [];
    const tryRate = async (perSecond: number): Promise<boolean> => {
      const figures = await step(context, perSecond);
      loads[`${perSecond} a second`] = figures;
      const good = holds(figures);
      steps.push(`${perSecond}: ${good ? 'held' : 'not held'}, p99 ${round(figures.latency.p99Ms)} ms`);
      return good;
    };

    let held = 0;
    let rate = START_PER_SECOND;
    for (let count = 0; count < STEPS_MAX && (await tryRate(rate)); count++) {
      held = rate;
      rate = Math.round(rate * STEP_FACTOR);
    }
    // Coarser, and the knee itself moves by a quarter from run to run, and all that is compared with it.
    for (let failed = rate; held > 0 && failed / held > 1 + PRECISION; ) {
      const middle = Math.round((held + failed) / 2);
      if (await tryRate(middle)) held = middle;
      else failed = middle;
    }

    context.knee = held === 0 ? undefined : held;
    const capacity = await capacityOf(context);
    const last = loads[`${held} a second`];
    return {
      inconclusive: last === undefined ? [] : inconclusiveReasons(last, context.calibration),
      conditions: [{ says: `at least ${START_PER_SECOND} a second are held`, holds: held > 0 }],
      figures: {
        kneePerSecond: held,
        capacityPerSecond: Math.round(capacity.perSecond),
        capacityOf: capacity.route,
        kneeP99Ms: round(last?.latency.p99Ms ?? 0),
        steps: steps.join('; '),
      },
      loads,
    };
  },
};

function step(
  { layout, accounts, profile, workload, onSample }: ScenarioContext,
  perSecond: number,
): Promise<LoadFigures> {
  const phases = [{ seconds: STEP_SECONDS[profile], perSecond }];
  const load = startLoad(
    {
      kind: 'open-loop',
      url: layout.addresses.api,
      arrivals: 'poisson',
      seed: perSecond,
      phases,
      mix: workload.officeDay,
      accounts,
      warmUpSeconds: 1,
    },
    onSample,
  );
  return load.figures;
}

/** The most that one route gives when every client asks again as soon as it has its answer: autocannon, closed loop. */
function capacityOf({ layout, accounts, benches }: ScenarioContext): Promise<CapacityFigures> {
  // The platform's comes first in the list: a module's own says more.
  const { route, path } = benches.flatMap(({ capacity = [] }) => capacity).at(-1) as Capacity;
  return startLoad({
    kind: 'closed-loop',
    url: layout.addresses.api,
    connections: CAPACITY_CONNECTIONS,
    seconds: CAPACITY_SECONDS,
    request: { route, method: 'GET', path, headers: { authorization: `Bearer ${accounts[0]?.token}` }, expect: [200] },
  }).figures;
}

type Capacity = NonNullable<ModuleBench['capacity']>;

function holds(figures: LoadFigures): boolean {
  const { refused, failed, wrong } = failuresOf({ figures });
  return (
    wrong === 0 &&
    (refused + failed) / Math.max(1, figures.latency.count) <= FAILED_MAX &&
    figures.latency.p99Ms < P99_MS_MAX &&
    figures.achievedPerSecond >= ACHIEVED_MIN * figures.offeredPerSecond
  );
}
