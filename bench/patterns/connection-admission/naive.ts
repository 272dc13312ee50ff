import type { Door } from './case.ts';

/** As many as there are places. */
export function openDoor(places: number): Door {
  let taken = 0;
  return {
    enter() {
      if (taken >= places) return undefined;
      taken++;
      return {
        welcome: () => undefined,
        leave: () => {
          taken--;
        },
      };
    },
  };
}
