import { losePrimary } from './lose-primary.ts';
import type { OwnLayoutFindings, OwnLayoutScenario } from './scenario.ts';

const STALL_MS = 1_000;

/** The same with a commit that waits for nobody: how much that costs. It promises nothing, so it fails no run. */
export const primaryLostAsynchronously: OwnLayoutScenario = {
  name: 'primary-lost-asynchronously',
  promise: 'primary-lost',
  line: `what primary-lost loses when commits do not wait for the replica, whose line has stood still for ${STALL_MS / 1000} s`,
  profile: 'full',

  async run(context): Promise<OwnLayoutFindings> {
    const found = await losePrimary(context, { synchronous: false, stallMs: STALL_MS });
    if (typeof found === 'string') return { conditions: [], figures: {}, boxes: {}, memory: {}, notRun: found };
    const { acknowledged, lost, sample, failures, rounds, restarts } = found;
    return {
      ...found.findings,
      conditions: [{ says: `no process of the product died or was restarted (${restarts})`, holds: restarts === 0 }],
      hints: [`${lost} of ${acknowledged} acknowledged writes were lost (${sample})`],
      figures: {
        acknowledged,
        // By another name than the gate's `lost`: here it is what was asked for.
        lostByDesign: lost,
        secondsWithoutWrites: Math.max(...rounds.map(({ secondsWithoutWrites }) => secondsWithoutWrites)),
        wrongByDesign: failures.wrong,
        restarts,
      },
    };
  },
};
