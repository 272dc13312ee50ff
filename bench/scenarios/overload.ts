import { startLoad } from '../load/start-load.ts';
import { round } from '../numbers.ts';
import type { LoadFigures } from '../types.ts';
import { type Findings, failuresOf, type Scenario, type ScenarioContext } from './scenario.ts';

const SECONDS = { ci: 10, full: 60 };
const RECOVERY_SECONDS = 5;
const AFTER_SECONDS = 4;
const GOODPUT_MIN = 0.8;
const P99_MS_MAX = 1_000;

/** Twice what the product can do: it goes on doing what it can, refuses the rest at once, and is itself again soon. */
export const overload: Scenario = {
  name: 'overload',
  promise: 'bends-not-breaks',
  line: `at twice the knee: goodput at least ${GOODPUT_MIN * 100} % of the knee, refusals are 503 or 429, back to normal within ${RECOVERY_SECONDS} s`,

  async run(context): Promise<Findings> {
    const { knee, profile } = context;
    if (knee === undefined)
      return { inconclusive: ['there is no knee: the ramp did not hold its first step'], conditions: [], figures: {} };
    const during = await ask(context, SECONDS[profile], knee * 2);
    await new Promise((resolve) => setTimeout(resolve, RECOVERY_SECONDS * 1000));
    const after = await ask(context, AFTER_SECONDS, knee / 2);

    const { refused, failed, wrong } = failuresOf({ during });
    // Right answers only; a refusal is none, however fast.
    const goodput = during.achievedPerSecond / knee;
    const calm = failuresOf({ after });
    const afterP99Ms = round(after.latency.p99Ms);
    return {
      conditions: [
        {
          says: `goodput ${round(goodput * 100)} % of the knee, at least ${GOODPUT_MIN * 100} %`,
          holds: goodput >= GOODPUT_MIN,
        },
        { says: `no wrong answer (${wrong})`, holds: wrong === 0 },
        {
          says: `${RECOVERY_SECONDS} s later nothing fails (${calm.failed + calm.refused}), p99 ${afterP99Ms} ms under ${P99_MS_MAX} ms`,
          holds: calm.failed + calm.refused === 0 && after.latency.p99Ms < P99_MS_MAX,
        },
      ],
      figures: {
        kneePerSecond: knee,
        goodputOfKnee: round(goodput, 2),
        refused,
        failed,
        dropped: during.dropped,
        afterP99Ms,
      },
      loads: { 'twice the knee': during, 'half the knee, after': after },
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
    },
    onSample,
  ).figures;
}
