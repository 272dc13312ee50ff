/** Seeded chance (mulberry32): the same seed asks the same requests in the same order. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  below(n: number): number;
  /** Undefined only for an empty list. */
  pick<T>(from: readonly T[]): T | undefined;
  /** With mean 1: the gaps of a Poisson process. */
  exponential(): number;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number) => Math.floor(next() * n);
  return { next, below, pick: (from) => from[below(from.length)], exponential: () => -Math.log(1 - next()) };
}
