import { OFFICE_DAY, routesOf } from '../load/mixes.ts';
import { startLoad } from '../load/start-load.ts';
import { lostOf } from './baseline.ts';
import { failedOf, round, type Scenario, unmet } from './scenario.ts';

const CPUS_WITHOUT_CREDITS = 0.1;
const CPUS = 2;
const PER_SECOND = 2;
const SECONDS = { ci: 12, full: 60 };

/** A t4g.nano without credits has a tenth of one CPU: everything still works, slower. */
export const creditsGone: Scenario = {
  name: 'credits-gone',
  promise: 'credits-gone',
  line: `with ${CPUS_WITHOUT_CREDITS * 100} % of one CPU per nano everything still works, slower; nothing lost, no restarts`,

  async run({ layout, accounts, profile, historyFile, onSample }) {
    const deathsBefore = layout.deaths().length;
    await layout.setCpus(CPUS_WITHOUT_CREDITS);
    const figures = await startLoad(
      {
        kind: 'open-loop',
        url: layout.addresses.api,
        arrivals: 'constant',
        seed: 11,
        phases: [{ seconds: SECONDS[profile], perSecond: PER_SECOND }],
        mix: OFFICE_DAY,
        accounts,
        historyFile,
      },
      onSample,
    ).figures.finally(() => layout.setCpus(CPUS));
    const { refused, failed, wrong } = failedOf(figures);
    const lost = await lostOf(layout.addresses.databaseUrl, [historyFile]);
    const deaths = layout.deaths().length - deathsBefore;
    return {
      met: refused + failed + wrong + lost + deaths === 0,
      reasons: unmet({
        [`no wrong answer (${wrong}), none failed (${failed}), none refused (${refused})`]:
          wrong + failed + refused === 0,
        [`nothing lost (${lost})`]: lost === 0,
        [`no process died (${deaths})`]: deaths === 0,
      }),
      figures: {
        requests: figures.latency.count,
        p50Ms: round(figures.latency.p50Ms),
        p99Ms: round(figures.latency.p99Ms),
        lost,
        deaths,
      },
      loads: { 'without credits': figures },
      covers: routesOf(figures.byRoute),
    };
  },
};
