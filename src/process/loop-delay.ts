import { LOOP_SAMPLE_MS, LOOP_SAMPLES } from '../limits.ts';

/**
 * How late the event loop has been of late: the median of the last LOOP_SAMPLES timers, so that one collection of garbage
 * or one large answer does not count as overload.
 */
export function createLoopDelay(): () => number {
  const late = Array.from({ length: LOOP_SAMPLES }, () => 0);
  let median = 0;
  let expected = performance.now() + LOOP_SAMPLE_MS;
  setInterval(() => {
    const now = performance.now();
    late.push(Math.max(0, now - expected));
    late.shift();
    expected = now + LOOP_SAMPLE_MS;
    median = late.toSorted((a, b) => a - b)[Math.floor(late.length / 2)] ?? 0;
  }, LOOP_SAMPLE_MS).unref();
  return () => median;
}
