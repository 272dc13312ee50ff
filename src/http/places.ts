import {
  LOOP_DELAY_MS,
  REQUEST_MEMORY_BYTES,
  REQUEST_MEMORY_SHARE,
  REQUESTS_IN_FLIGHT_MAX,
  REQUESTS_IN_FLIGHT_MIN,
} from '../limits.ts';

/** How many requests may be in flight: as many as the memory has room for, and fewer while the event loop is late. */
export function placesFor(loopDelayMs: number, memoryBytes: number): number {
  const room = Math.floor((memoryBytes * REQUEST_MEMORY_SHARE) / REQUEST_MEMORY_BYTES);
  const most = Math.max(REQUESTS_IN_FLIGHT_MIN, Math.min(REQUESTS_IN_FLIGHT_MAX, room));
  if (loopDelayMs <= LOOP_DELAY_MS.easy) return most;
  const { easy, hard } = LOOP_DELAY_MS;
  const left = Math.max(0, (hard - loopDelayMs) / (hard - easy));
  return Math.round(REQUESTS_IN_FLIGHT_MIN + (most - REQUESTS_IN_FLIGHT_MIN) * left);
}
