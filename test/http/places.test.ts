import { expect, test } from 'vitest';
import { placesFor } from '../../src/http/places.ts';
import { LOOP_DELAY_MS, NANO_BYTES, REQUESTS_IN_FLIGHT_MAX, REQUESTS_IN_FLIGHT_MIN } from '../../src/limits.ts';

test('a nano has all places, and more memory brings no more', () => {
  expect(placesFor(REQUESTS_IN_FLIGHT_MAX, 0, NANO_BYTES)).toBe(REQUESTS_IN_FLIGHT_MAX);
  expect(placesFor(REQUESTS_IN_FLIGHT_MAX, 0, 16 * NANO_BYTES)).toBe(REQUESTS_IN_FLIGHT_MAX);
});

test('a smaller container has fewer', () => {
  const quarter = placesFor(REQUESTS_IN_FLIGHT_MAX, 0, NANO_BYTES / 4);
  expect(quarter).toBeGreaterThan(REQUESTS_IN_FLIGHT_MIN);
  expect(quarter).toBeLessThan(REQUESTS_IN_FLIGHT_MAX);
});

test('the later the event loop, the fewer, down to a minimum', () => {
  const { easy, hard } = LOOP_DELAY_MS;
  const places = [easy, easy + 50, (easy + hard) / 2, hard, 10 * hard].map((ms) =>
    placesFor(REQUESTS_IN_FLIGHT_MAX, ms, NANO_BYTES),
  );
  expect(places[0]).toBe(REQUESTS_IN_FLIGHT_MAX);
  expect(places).toEqual(places.toSorted((a, b) => b - a));
  expect(places.slice(-2)).toEqual([REQUESTS_IN_FLIGHT_MIN, REQUESTS_IN_FLIGHT_MIN]);
});
