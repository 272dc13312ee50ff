import { REFUSED_BODIES_BYTES_PER_SECOND_MAX, REFUSED_BODY_LINGER_MS, REFUSED_PIECE_BYTES_MIN } from '../limits.ts';
import { type Body, pauseConnection } from './pause-connection.ts';

const AHEAD_MS = 10; // not each piece is worth a timer

/**
 * Reads what refused clients still send, and drops it, of all of them together at a bounded rate: each piece is a buffer
 * of its own, and hundreds of megabytes of them a second made V8 collect garbage all the time, while everybody waited. A
 * piece of a few bytes costs about as much as a larger one.
 *
 * A body whose turn would come after its connection has been ended (REFUSED_BODY_LINGER_MS) is left unread. Without that,
 * many refused clients put the turn of the next one off without end, and all that waited for theirs stayed in memory.
 */
export function createPacedDrop(): (body: Body) => void {
  let droppedUntil = 0;

  /** How far all pieces read so far are ahead of the rate. */
  const aheadMs = () => Math.max(0, droppedUntil - performance.now());

  return (body) => {
    let turn: NodeJS.Timeout | undefined;

    function stop(): void {
      body.pause();
      pauseConnection(body);
    }

    function readOn(): void {
      if (aheadMs() >= REFUSED_BODY_LINGER_MS || body.socket?.destroyed) return;
      body.socket?.resume();
      body.resume();
    }

    body.once('close', () => clearTimeout(turn));
    body.on('data', ({ length }: Buffer) => {
      const bytes = Math.max(length, REFUSED_PIECE_BYTES_MIN);
      droppedUntil = performance.now() + aheadMs() + (bytes / REFUSED_BODIES_BYTES_PER_SECOND_MAX) * 1_000;
      if (aheadMs() < AHEAD_MS) return;
      stop();
      if (aheadMs() <= REFUSED_BODY_LINGER_MS) turn = setTimeout(readOn, aheadMs());
    });
    // A listener alone starts a stream that was never paused, and not one that was.
    stop();
    readOn();
  };
}
