/**
 * What it is: the background loops of a process, each with a name and an interval.
 * What fails without it: setInterval starts a second run while the first is still going, and one error ends the
 *   process.
 * How it works: the next run is scheduled when the last has ended, with jitter so that processes do not run in
 *   lockstep. Loops normally run in several processes at once, so their work must be safe to run concurrently (row
 *   locks, unique constraints).
 * Its bound: one run of each loop at a time.
 */
import type { Log } from '../log.ts';

export interface Loop {
  readonly name: string;
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<unknown>;
}

/** Declares a loop: `every(MINUTE_MS, 'sweep', () => sweep())`. */
export function every(everyMs: number, name: string, run: Loop['run']): Loop {
  return { everyMs, name, run };
}

/** Starts all loops. `close` starts no new runs and waits for those in progress. */
export function startLoops(loops: readonly Loop[], log: Log): { close(): Promise<void> } {
  const controller = new AbortController();
  const running = loops.map((loop) => go(loop, controller.signal, log));
  return {
    async close() {
      controller.abort();
      await Promise.all(running);
    },
  };
}

async function go(loop: Loop, signal: AbortSignal, log: Log): Promise<void> {
  while (!signal.aborted) {
    try {
      await loop.run(signal);
    } catch (error) {
      log.error({ loop: loop.name, err: error }, 'loop failed; it will run again');
    }
    await pause(loop.everyMs * (0.9 + Math.random() * 0.2), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}

/**
 * Calls `step` with the maximum number of rows to delete, until it deletes fewer: short statements, so that no lock is
 * held for long. Returns how many rows were deleted.
 */
export async function deleteInSteps(
  stepRows: number,
  signal: AbortSignal,
  step: (rows: number) => Promise<number>,
): Promise<number> {
  let deleted = 0;
  while (!signal.aborted) {
    const rows = await step(stepRows);
    deleted += rows;
    if (rows < stepRows) break;
  }
  return deleted;
}
