/**
 * When each request is due, in milliseconds from the start. Known before the first one is sent: no answer, however
 * late, moves a later request. That is what makes the load open.
 */
import type { Random } from './random.ts';

/** `perSecond` at the end of the phase; with `from` the rate goes there in a straight line, without it jumps there. */
export interface Phase {
  /** Latency is also reported by these names; phases of the same name are taken together. */
  readonly name?: string;
  readonly seconds: number;
  readonly perSecond: number;
  readonly from?: number;
}

export type Arrivals = 'constant' | 'poisson';

/**
 * The i-th request is due when the area under the rate reaches i (constant), or the i-th point of a Poisson process of
 * that rate, found by inverting the area, so that ramps are exact and not a staircase.
 */
export function* dueTimes(phases: readonly Phase[], arrivals: Arrivals, random: Random): Generator<number> {
  let startMs = 0;
  let left = arrivals === 'poisson' ? random.exponential() : 0;
  for (const { seconds, perSecond, from = perSecond } of phases) {
    const area = (seconds * (from + perSecond)) / 2;
    while (left < area) {
      yield startMs + 1000 * timeOf(left, from, (perSecond - from) / seconds);
      left += arrivals === 'poisson' ? random.exponential() : 1;
    }
    left -= area;
    startMs += 1000 * seconds;
  }
}

export function secondsOf(phases: readonly Phase[]): number {
  return phases.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** The phase in which a time lies; past the end, the last one. */
export function phaseAt(phases: readonly Phase[], ms: number): Phase | undefined {
  const beginnings = beginningsOf(phases);
  return phases[beginnings.findLastIndex((begunMs) => begunMs <= ms)];
}

/** When each phase begins, in milliseconds from the start. */
export function beginningsOf(phases: readonly Phase[]): number[] {
  return phases.map((_, nth) => 1000 * secondsOf(phases.slice(0, nth)));
}

/** Requests that the phases ask for. */
export function requestsOf(phases: readonly Phase[]): number {
  return phases.reduce((sum, { seconds, perSecond, from = perSecond }) => sum + (seconds * (from + perSecond)) / 2, 0);
}

/** Solves rate * t + slope * t² / 2 = area for t. */
function timeOf(area: number, rate: number, slope: number): number {
  if (area === 0) return 0;
  // The root written so that it holds for a slope of 0 as well.
  return (2 * area) / (rate + Math.sqrt(rate * rate + 2 * slope * area));
}
