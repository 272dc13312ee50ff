import type { Look } from './case.ts';

/** Calls somebody when a write fails, once until it works again. */
export function createWatch(tell: () => void): (look: Look) => void {
  let failing = false;
  return ({ refused }) => {
    if (refused > 0 && !failing) tell();
    failing = refused > 0;
  };
}
