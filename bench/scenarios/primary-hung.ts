import { judgeLost, losePrimary } from './lose-primary.ts';
import type { OwnLayoutFindings, OwnLayoutScenario } from './scenario.ts';

const SECONDS_MAX = 30;

/**
 * The same machine, frozen instead of killed: its connections stay open, nobody resets them, and when it goes on it still
 * believes that it leads.
 */
export const primaryHung: OwnLayoutScenario = {
  name: 'primary-hung',
  promise: 'primary-lost',
  line: `the primary's machine freezes under load until another one leads, and then goes on; again with that one: nothing acknowledged is lost, writes are back within ${SECONDS_MAX} s, no read misses its caller's writes, no process is restarted, and the old primary takes reads again`,
  gates: true,
  profile: 'full',

  async run(context): Promise<OwnLayoutFindings> {
    const found = await losePrimary(context, { synchronous: true, manner: 'hung' });
    if (typeof found === 'string') return { conditions: [], figures: {}, boxes: {}, memory: {}, notRun: found };
    return judgeLost(found, SECONDS_MAX);
  },
};
