/**
 * What it is: the loops of a process, each with a name and a rhythm, on one screen in the worker.
 * What fails without it: setInterval starts a second run while the first still goes, and one error ends the process.
 * How it works: the next run is planned when the last has ended, with jitter so that two processes drift apart. Running
 *   in several processes is the normal case: what a loop does is safe beside itself (row locks, unique slots).
 * Its bound: one run of each loop at a time.
 */
import type { Log } from '../log.ts';

export interface Loop {
  readonly name: string;
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<unknown>;
}

/** One line of the screen: `every(MINUTE_MS, 'sweep', () => sweep())`. */
export function every(everyMs: number, name: string, run: Loop['run']): Loop {
  return { everyMs, name, run };
}

/** Starts all loops; returns how to stop: no new run, and the ones under way are waited for. */
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
      log.error({ loop: loop.name, err: error }, 'loop failed; it goes on');
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
 * Calls `step` with the number of rows that it may delete until it deletes fewer: short statements, so that no lock is
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
