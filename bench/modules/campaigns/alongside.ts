import type { Alongside } from '../../load/alongside.ts';
import { LAUNCHES, smallCustomer } from './launches.ts';

const PER_SECOND = 0.5; // half of them are launches: the mailer is done with one before the next

/** The mailer has work, too. */
const launches: Alongside = {
  name: 'launches',
  async plan({ addresses, seconds, seed, historyFile }) {
    return {
      kind: 'open-loop',
      url: addresses.api,
      arrivals: 'poisson',
      seed,
      phases: [{ seconds, perSecond: PER_SECOND }],
      mix: LAUNCHES,
      accounts: [await smallCustomer(addresses)],
      historyFile,
    };
  },
};

export const alongside = [launches];
