/**
 * What it is: everything that was opened is closed in reverse order, within a deadline.
 * What fails without it: a deploy interrupts requests, answers and mails midway, and leaves connections open.
 * How it works: each resource registers its close function when it is opened; stop calls them in reverse. The last one
 *   opened (the listening server) is closed first, so everything it needs still works while it drains.
 * What it costs: nothing until the stop.
 * Its bound: STOP_MS in total; a closer that hangs is logged by name and abandoned.
 * Its proof: test/process/graceful-shutdown.test.ts.
 */
import { STOP_MS } from '../limits.ts';
import type { Log } from '../log.ts';

type Closer = { readonly what: string; readonly close: () => unknown };

export interface Shutdown {
  onStop(what: string, close: () => unknown): void;
  /** Runs once; later calls get the same promise. Resolves to true when everything closed in time and without error. */
  stop(reason: string): Promise<boolean>;
  /** Aborted as soon as the stop begins, so that loops end. */
  readonly stopping: AbortSignal;
}

export function createShutdown(log: Log, stopMs = STOP_MS): Shutdown {
  const closers: Closer[] = [];
  const controller = new AbortController();
  let stopped: Promise<boolean> | undefined;

  async function closeAll(reason: string): Promise<boolean> {
    const deadline = performance.now() + stopMs;
    log.info({ reason }, 'stopping');
    controller.abort();
    let clean = true;
    for (const { what, close } of closers.reverse()) {
      const outcome = await settle(close, deadline - performance.now());
      if (outcome !== 'closed') {
        clean = false;
        log.error(
          { what, err: outcome === 'late' ? undefined : outcome },
          outcome === 'late' ? 'did not close in time' : 'did not close',
        );
      }
    }
    log.info({ clean }, 'stopped');
    return clean;
  }

  return {
    onStop: (what, close) => void closers.push({ what, close }),
    stop: (reason) => (stopped ??= closeAll(reason)),
    stopping: controller.signal,
  };
}

async function settle(close: () => unknown, ms: number): Promise<'closed' | 'late' | Error> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms), 'late');
  });
  try {
    return await Promise.race([Promise.resolve(close()).then(() => 'closed' as const), late]);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    clearTimeout(timer);
  }
}
