import { inconclusiveReasons } from '../load/calibration.ts';
import { lostOf } from '../load/history.ts';
import { startLoad } from '../load/start-load.ts';
import { round, sum } from '../numbers.ts';
import type { LoadFigures } from '../types.ts';
import { judgedLatency, loadsOf, startDay } from './day.ts';
import { failuresOf, type Scenario } from './scenario.ts';

const PER_SECOND = 40;
/** The longest in which each of the rare ones comes up; the shortest profile has two of them. */
const RARE_CYCLE_SECONDS = 8.5;
const SECONDS = { ci: 20, full: 120 };
const WARM_UP_SECONDS = 3;
const P99_MS_MAX = 1_000;

/** A normal day over every route, with all that goes on beside it: every answer is checked, every acknowledged write looked for. */
export const baseline: Scenario = {
  name: 'baseline',
  promise: 'every-route-loaded',
  line: `${PER_SECOND} requests a second over every route, with what the modules have going on beside them: no answer wrong, none failed, p99 under ${P99_MS_MAX} ms`,
  gates: true,

  async run(context) {
    const { layout, accounts, calibration, profile, workload, historyFile } = context;
    const seconds = SECONDS[profile];
    const day = await startDay(context, { seconds, perSecond: PER_SECOND, seed: 1, warmUpSeconds: WARM_UP_SECONDS });
    const rareFile = `${historyFile}.rare`;
    const rare = startLoad({
      kind: 'open-loop',
      url: layout.addresses.api,
      arrivals: 'poisson',
      accounts,
      seed: 2,
      phases: [{ seconds, perSecond: sum(Object.values(workload.rare)) / RARE_CYCLE_SECONDS }],
      mix: workload.rare,
      mixOrder: 'cycle',
      historyFile: rareFile,
    });
    const ended = await day.ended;
    const loads: Record<string, LoadFigures> = { ...loadsOf(ended), rare: await rare.figures };
    const { latency } = loads['day'] as LoadFigures;
    const histories = [...day.histories, rareFile];
    const { lost, sample } = await lostOf(layout.addresses.databaseUrl, workload.history, histories);
    const failures = failuresOf(loads);
    return {
      inconclusive: inconclusiveReasons(loads['day'] as LoadFigures, calibration),
      conditions: [
        { says: `no wrong answers (${failures.wrong}: ${failures.sample})`, holds: failures.wrong === 0 },
        { says: `nothing failed (${failures.failed})`, holds: failures.failed === 0 },
        { says: `nothing refused (${failures.refused})`, holds: failures.refused === 0 },
        { says: `nothing lost (${lost}: ${sample})`, holds: lost === 0 },
        { says: `p99 ${round(latency.p99Ms)} ms under ${P99_MS_MAX} ms`, holds: latency.p99Ms < P99_MS_MAX },
      ],
      figures: {
        requests: latency.count,
        p50Ms: round(latency.p50Ms),
        p99Ms: round(latency.p99Ms),
        ...Object.fromEntries(
          ended
            .filter(({ name }) => name !== 'day')
            .map((load) => [`${load.name}P99Ms`, round(judgedLatency(load).p99Ms)]),
        ),
        wrong: failures.wrong,
        lost,
      },
      loads,
    };
  },
};
