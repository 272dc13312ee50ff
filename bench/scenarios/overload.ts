import { OFFICE_DAY, routesOf } from '../load/mixes.ts';
import { startLoad } from '../load/start-load.ts';
import type { LoadFigures } from '../types.ts';
import { failedOf, round, type Scenario, type ScenarioContext, unmet, type Verdict } from './scenario.ts';

const SECONDS = { ci: 10, full: 60 };
const RECOVERY_SECONDS = 5;
const GOODPUT_MIN = 0.8;
const P99_MS_MAX = 1_000;

/** Twice what the product can do: it goes on doing what it can, refuses the rest at once, and is itself again soon. */
export const overload: Scenario = {
  name: 'overload',
  promise: 'bends-not-breaks',
  line: `at twice the knee: goodput at least ${GOODPUT_MIN * 100} % of the knee, refusals are 503 or 429, back to normal within ${RECOVERY_SECONDS} s`,

  async run(context): Promise<Verdict> {
    const { knee, profile } = context;
    if (knee === undefined) {
      return {
        met: false,
        void: true,
        reasons: ['there is no knee: the ramp did not hold its first step'],
        figures: {},
        covers: [],
      };
    }
    const seconds = SECONDS[profile];
    const storm = await run(context, [{ seconds, perSecond: knee * 2 }]);
    await new Promise((resolve) => setTimeout(resolve, RECOVERY_SECONDS * 1000));
    const after = await run(context, [{ seconds: 4, perSecond: knee / 2 }]);

    const { refused, failed, wrong } = failedOf(storm);
    // Right answers only; a refusal is none, however fast.
    const goodput = storm.achievedPerSecond / knee;
    const calm = failedOf(after);
    return {
      met:
        goodput >= GOODPUT_MIN && wrong === 0 && calm.failed + calm.refused === 0 && after.latency.p99Ms < P99_MS_MAX,
      reasons: unmet({
        [`goodput ${round(goodput * 100)} % of the knee, at least ${GOODPUT_MIN * 100} %`]: goodput >= GOODPUT_MIN,
        [`no wrong answer (${wrong})`]: wrong === 0,
        [`${RECOVERY_SECONDS} s later nothing fails (${calm.failed + calm.refused}), p99 ${round(after.latency.p99Ms)} ms`]:
          calm.failed + calm.refused === 0 && after.latency.p99Ms < P99_MS_MAX,
      }),
      figures: {
        kneePerSecond: knee,
        goodputOfKnee: round(goodput, 2),
        refused,
        failed,
        dropped: storm.dropped,
        afterP99Ms: round(after.latency.p99Ms),
      },
      loads: { 'twice the knee': storm, 'half the knee, after': after },
      covers: routesOf(storm.byRoute),
    };
  },
};

function run(
  { layout, accounts, onSample }: ScenarioContext,
  phases: { seconds: number; perSecond: number }[],
): Promise<LoadFigures> {
  return startLoad(
    { kind: 'open-loop', url: layout.addresses.api, arrivals: 'poisson', seed: 7, phases, mix: OFFICE_DAY, accounts },
    onSample,
  ).figures;
}
