import type { Readable } from 'node:stream';
import { REFUSED_BODIES_BYTES_PER_SECOND_MAX } from '../limits.ts';

const AHEAD_MS = 10; // not each piece is worth a timer

/**
 * Reads what refused clients still send, and drops it, of all of them together at a bounded rate: each piece is a buffer
 * of its own, and hundreds of megabytes of them a second made V8 collect garbage all the time, while everybody waited.
 */
export function createPacedDrop(): (body: Readable) => void {
  let droppedUntil = 0;
  return (body) => {
    body.on('data', ({ length }: Buffer) => {
      const now = performance.now();
      droppedUntil = Math.max(droppedUntil, now) + (length / REFUSED_BODIES_BYTES_PER_SECOND_MAX) * 1_000;
      const aheadMs = droppedUntil - now;
      if (aheadMs < AHEAD_MS) return;
      body.pause();
      setTimeout(() => body.resume(), aheadMs);
    });
    body.resume(); // a listener alone does not start a stream that was paused
  };
}
