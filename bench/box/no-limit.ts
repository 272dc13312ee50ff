/** No box at all, for a machine on which nothing can enforce a limit: nothing is held, nothing is measured. */
import type { Driver } from './driver.ts';

export const noLimit: Driver = {
  name: 'none',
  create: async () => ({
    wrap: (command, args) => ({ command, args: [...args] }),
    usage: () => ({
      chargedBytes: 0,
      neededBytes: 0,
      peakBytes: 0,
      cpuSeconds: 0,
      throttledSeconds: 0,
      oomKills: 0,
    }),
    pids: () => [],
    setCpus: async () => undefined,
    remove: async () => undefined,
  }),
  removeStale: async () => undefined,
};
