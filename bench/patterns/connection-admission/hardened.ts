import { createAdmission } from '../../../src/socket/admission.ts';
import type { Door } from './case.ts';

/** Half of the places can be strangers; when there are more, a new one takes the place of the oldest. */
export function openDoor(places: number): Door {
  const admission = createAdmission({
    ...{ places, strangers: places / 2, placesPerAddress: places / 2 },
    ...{ perSecond: 500, burst: places / 2 },
  });
  return {
    enter(address, evict) {
      const entered = admission.enter(address, evict);
      if ('status' in entered) return undefined;
      return { welcome: () => entered.setStranger(false), leave: entered.leave };
    },
  };
}
