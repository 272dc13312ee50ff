import { startLoad } from '../../../bench/load/start-load.ts';
import { round } from '../../../bench/numbers.ts';
import { failuresOf, type Scenario } from '../../../bench/scenarios/scenario.ts';

const QUIET_PER_SECOND = 5;
const NINE_PER_SECOND = 60;
const SECONDS = { ci: 3, full: 60 };
const P95_MS_MAX = 300;

/** Everybody opens the home page at nine. */
export const nineOClock: Scenario = {
  name: 'nine-o-clock',
  promise: 'nine-o-clock',
  line: `from ${QUIET_PER_SECOND} to ${NINE_PER_SECOND} home pages a second at once: nothing wrong or failed, p95 under ${P95_MS_MAX} ms`,

  async run({ layout, accounts, profile, onSample }) {
    const nine = await startLoad(
      {
        kind: 'open-loop',
        url: layout.addresses.api,
        accounts,
        mix: { 'GET /api/v1/me': 1, 'GET /api/v1/summary': 1 },
        phases: [
          { seconds: 2, perSecond: QUIET_PER_SECOND },
          { seconds: SECONDS[profile], perSecond: NINE_PER_SECOND },
        ],
        arrivals: 'poisson',
        seed: 9,
      },
      onSample,
    ).figures;
    const { all, sample } = failuresOf({ nine });
    const p95Ms = round(nine.latency.p95Ms);
    return {
      conditions: [
        { says: `nothing wrong or failed (${all}: ${sample})`, holds: all === 0 },
        { says: `p95 ${p95Ms} ms under ${P95_MS_MAX} ms`, holds: p95Ms < P95_MS_MAX },
      ],
      figures: { p95Ms, wrong: nine.wrong },
      loads: { nine },
    };
  },
};
