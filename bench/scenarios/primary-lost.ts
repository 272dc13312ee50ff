import { judgeLost, losePrimary } from './lose-primary.ts';
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
    return judgeLost(found, SECONDS_MAX);
  },
};
