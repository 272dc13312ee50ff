import type { AskedStops } from '../src/process/asked-stops.ts';

/** As PostgreSQL keeps them, for tests of one process. */
export function createMemoryStops(): AskedStops {
  const noted = new Set<string>();
  return {
    note: async (life) => void noted.add(life),
    among: async (lives) => new Set(lives.filter((life) => noted.has(life))),
  };
}
