import { LOOP_DELAY_MS, REQUEST_MEMORY_BYTES, REQUEST_MEMORY_SHARE, REQUESTS_IN_FLIGHT_MIN } from '../limits.ts';

/** How many of `most` requests may be in flight: what the memory has room for, and fewer while the event loop is late. */
export function placesFor(most: number, loopDelayMs: number, memoryBytes: number): number {
  const room = Math.floor((memoryBytes * REQUEST_MEMORY_SHARE) / REQUEST_MEMORY_BYTES);
  const places = Math.max(REQUESTS_IN_FLIGHT_MIN, Math.min(most, room));
  if (loopDelayMs <= LOOP_DELAY_MS.easy) return places;
  const { easy, hard } = LOOP_DELAY_MS;
  const left = Math.max(0, (hard - loopDelayMs) / (hard - easy));
  return Math.round(REQUESTS_IN_FLIGHT_MIN + (places - REQUESTS_IN_FLIGHT_MIN) * left);
}
