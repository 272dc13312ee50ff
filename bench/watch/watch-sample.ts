import type { LiveSample } from '../report/live.ts';

/** One second of a scenario: what the live view shows, and what only the search for the first trouble needs. */
export interface WatchSample extends LiveSample {
  /** Processes that died unasked since the scenario began, in words. */
  readonly deaths: readonly string[];
  readonly generator?: { readonly elu: number; readonly dropped: number };
}
