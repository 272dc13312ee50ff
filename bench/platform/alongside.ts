import type { Alongside } from '../load/alongside.ts';

const PER_SECOND = 0.5; // each is a password hash

/** The one write that every service has: with no module at all there is still something that may not get lost. */
const signIns: Alongside = {
  name: 'sign-ins',
  async plan({ addresses, accounts, seconds, seed, historyFile }) {
    return {
      kind: 'open-loop',
      url: addresses.api,
      arrivals: 'constant',
      seed,
      phases: [{ seconds, perSecond: PER_SECOND }],
      mix: { 'POST /api/v1/sessions': 1 },
      accounts,
      historyFile,
    };
  },
};

export const alongside = [signIns];
