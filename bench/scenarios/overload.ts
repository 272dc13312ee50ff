import { setTimeout as delay } from 'node:timers/promises';
import { startLoad } from '../load/start-load.ts';
import { round } from '../numbers.ts';
import type { LoadFigures } from '../types.ts';
import { type Findings, failuresOf, type Scenario, type ScenarioContext } from './scenario.ts';

const ROUNDS = 3;
const KNEE_SECONDS = { ci: 5, full: 15 };
const TWICE_SECONDS = { ci: 10, full: 30 };
const AFTER_SECONDS = 4;
const WARM_UP_SECONDS = 1;
const RECOVERY_SECONDS = 5;
const GOODPUT_MIN = 0.9;
const P99_MS_MAX = 1_000;

/**
 * Twice what the product can do: it goes on doing what it can, refuses the rest at once, and is itself again soon.
 *
 * In rounds, each time after the knee itself: a shared machine is a quarter faster or slower from one minute to the next,
 * and what it answers at the knee changes with it.
 */
export const overload: Scenario = {
  name: 'overload',
  promise: 'bends-not-breaks',
  line: `at twice the knee, ${ROUNDS} times: goodput at least ${GOODPUT_MIN * 100} % of what is answered at the knee just before, refusals are 503 or 429, back to normal within ${RECOVERY_SECONDS} s`,

  async run(context): Promise<Findings> {
    const { knee, profile } = context;
    if (knee === undefined)
      return { inconclusive: ['there is no knee: the ramp did not hold its first step'], conditions: [], figures: {} };
    const loads: Record<string, LoadFigures> = {};
    const goodputs: number[] = [];
    for (let nth = 1; nth <= ROUNDS; nth++) {
      const before = await ask(context, KNEE_SECONDS[profile], knee);
      const during = await ask(context, TWICE_SECONDS[profile], knee * 2);
      loads[`${nth}: the knee`] = before;
      loads[`${nth}: twice the knee`] = during;
      // Right answers only; a refusal is none, however fast.
      goodputs.push(during.achievedPerSecond / before.achievedPerSecond);
      await delay(RECOVERY_SECONDS * 1000);
    }
    const after = await ask(context, AFTER_SECONDS, knee / 2);

    const twice = Object.entries(loads).filter(([name]) => name.endsWith('twice the knee'));
    const { refused, failed, wrong } = failuresOf(Object.fromEntries(twice));
    const calm = failuresOf({ after });
    const afterP99Ms = round(after.latency.p99Ms);
    return {
      conditions: [
        {
          says: `goodput ${goodputs.map((goodput) => round(goodput * 100)).join(', ')} % of the knee, at least ${GOODPUT_MIN * 100} %`,
          holds: goodputs.every((goodput) => goodput >= GOODPUT_MIN),
        },
        { says: `no wrong answer (${wrong})`, holds: wrong === 0 },
        {
          says: `${RECOVERY_SECONDS} s later nothing fails (${calm.failed + calm.refused}), p99 ${afterP99Ms} ms under ${P99_MS_MAX} ms`,
          holds: calm.failed + calm.refused === 0 && after.latency.p99Ms < P99_MS_MAX,
        },
      ],
      figures: {
        kneePerSecond: knee,
        goodputOfKnee: round(Math.min(...goodputs), 2),
        goodputOfRamp: twice.map(([, { achievedPerSecond }]) => round(achievedPerSecond / knee, 2)).join(', '),
        refused,
        failed,
        dropped: twice.reduce((sum, [, { dropped }]) => sum + dropped, 0),
        afterP99Ms,
      },
      loads: { ...loads, 'half the knee, after': after },
    };
  },
};

function ask(
  { layout, accounts, workload, onSample }: ScenarioContext,
  seconds: number,
  perSecond: number,
): Promise<LoadFigures> {
  return startLoad(
    {
      kind: 'open-loop',
      url: layout.addresses.api,
      arrivals: 'poisson',
      seed: 7,
      phases: [{ seconds, perSecond }],
      mix: workload.officeDay,
      accounts,
      warmUpSeconds: WARM_UP_SECONDS,
    },
    onSample,
  ).figures;
}
