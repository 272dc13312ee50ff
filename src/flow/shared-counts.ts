/** Counters that all processes share, as those see them who count (src/redis/shared-counts.ts has them in Redis). */
export interface SharedCounts {
  /**
   * Takes up to `wanted` of `max` from the key's window; undefined when it cannot be known in time. `late` hears what was
   * taken all the same when it becomes known after that.
   */
  take(
    key: string,
    wanted: number,
    max: number,
    windowMs: number,
    late?: (taken: Taken) => void,
  ): Promise<Taken | undefined>;
  /** Takes that many back, 1 by default. Nobody waits for it. */
  giveBack(key: string, count?: number): void;
  /** Ends the key's window. Nobody waits for it. */
  forget(key: string): void;
  /** They are not asked at the moment: they did not answer, or have no room. */
  readonly isAlone: boolean;
}

export interface Taken {
  /** Less than was wanted, down to 0, when no more was left. */
  readonly granted: number;
  /** Left for everybody, after this. */
  readonly left: number;
  readonly windowEndsInMs: number;
}
