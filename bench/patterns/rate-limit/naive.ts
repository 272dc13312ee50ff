import { ATTEMPTS_PER_MINUTE, type Judge } from './case.ts';

const MINUTE_MS = 60_000;

/** So many attempts a minute for each address, in this process. */
export function createJudge(): Judge {
  const windows = new Map<string, { tries: number; until: number }>();
  return async (address) => {
    const now = performance.now();
    const known = windows.get(address);
    const window = known !== undefined && known.until > now ? known : { tries: 0, until: now + MINUTE_MS };
    windows.set(address, window);
    return ++window.tries <= ATTEMPTS_PER_MINUTE;
  };
}
