import { losePrimary } from './lose-primary.ts';
import type { OwnLayoutFindings, OwnLayoutScenario } from './scenario.ts';

const SECONDS_MAX = 30;

/** Patroni, etcd and HAProxy, with a commit that waits for the replica. */
export const primaryLost: OwnLayoutScenario = {
  name: 'primary-lost',
  promise: 'primary-lost',
  line: `kill -9 of the primary's machine under load, and of the one that took its place (Patroni, synchronous replication): nothing acknowledged is lost, writes are back within ${SECONDS_MAX} s, no read misses its caller's writes, no process is restarted, and the old primary takes reads again`,
  gates: true,
  profile: 'full',

  async run(context): Promise<OwnLayoutFindings> {
    const found = await losePrimary(context, { synchronous: true });
    if (typeof found === 'string') return { conditions: [], figures: {}, boxes: {}, memory: {}, notRun: found };
    const { acknowledged, lost, sample, failures, rounds, restarts } = found;
    const without = rounds.map(({ secondsWithoutWrites }) => secondsWithoutWrites);
    const takenBack = rounds.map(({ secondsUntilTakenBack }) => secondsUntilTakenBack);
    return {
      ...found.findings,
      conditions: [
        { says: `something was acknowledged (${acknowledged})`, holds: acknowledged > 0 },
        { says: `nothing that was acknowledged is lost (${lost}: ${sample})`, holds: lost === 0 },
        {
          says: `writes are back within ${SECONDS_MAX} s (${without.join(' s, ')} s)`,
          holds: Math.max(...without) < SECONDS_MAX,
        },
        {
          says: `no wrong answer and no stale own read (${failures.wrong}: ${failures.sample})`,
          holds: failures.wrong === 0,
        },
        { says: `no process of the product died or was restarted (${restarts})`, holds: restarts === 0 },
      ],
      figures: {
        acknowledged,
        lost,
        secondsWithoutWrites: Math.max(...without),
        wrong: failures.wrong,
        restarts,
        failedMeanwhile: failures.failed,
        refusedMeanwhile: failures.refused,
        secondsUntilNewPrimary: Math.max(...rounds.map(({ secondsUntilNewPrimary }) => secondsUntilNewPrimary)),
        secondsUntilTakenBack: Math.max(...takenBack),
        postgres: found.version,
      },
    };
  },
};
