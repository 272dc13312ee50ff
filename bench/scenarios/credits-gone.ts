import { lostOf } from '../load/history.ts';
import { startLoad } from '../load/start-load.ts';
import { round } from '../numbers.ts';
import { failuresOf, type Scenario } from './scenario.ts';

const CPUS_WITHOUT_CREDITS = 0.1;
const CPUS = 2;
const PER_SECOND = 2;
const SECONDS = { ci: 12, full: 60 };

/** A t4g.nano without credits has a tenth of one CPU: everything still works, slower. */
export const creditsGone: Scenario = {
  name: 'credits-gone',
  promise: 'credits-gone',
  line: `with ${CPUS_WITHOUT_CREDITS * 100} % of one CPU per nano everything still works, slower; nothing lost, no restarts`,

  async run({ layout, accounts, profile, workload, historyFile, onSample }) {
    const deathsBefore = layout.deaths().length;
    await layout.setCpus(CPUS_WITHOUT_CREDITS);
    const load = await startLoad(
      {
        kind: 'open-loop',
        url: layout.addresses.api,
        arrivals: 'constant',
        seed: 11,
        phases: [{ seconds: SECONDS[profile], perSecond: PER_SECOND }],
        mix: workload.officeDay,
        accounts,
        historyFile,
      },
      onSample,
    ).figures.finally(() => layout.setCpus(CPUS));
    const loads = { 'without credits': load };
    const { refused, failed, wrong, all } = failuresOf(loads);
    const { lost } = await lostOf(layout.addresses.databaseUrl, workload.history, [historyFile]);
    const deaths = layout.deaths().length - deathsBefore;
    return {
      conditions: [
        { says: `no wrong answer (${wrong}), none failed (${failed}), none refused (${refused})`, holds: all === 0 },
        { says: `nothing lost (${lost})`, holds: lost === 0 },
        { says: `no process died (${deaths})`, holds: deaths === 0 },
      ],
      figures: {
        requests: load.latency.count,
        p50Ms: round(load.latency.p50Ms),
        p99Ms: round(load.latency.p99Ms),
        lost,
        deaths,
      },
      loads,
    };
  },
};
