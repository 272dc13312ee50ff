/**
 * What it is: a process says that it will leave, goes on serving until that is known, and then closes everything that
 *   it opened, in reverse order and within a deadline.
 * What fails without it: a deploy interrupts requests, answers and mails midway, and leaves connections open. And a
 *   process that closes its door at once refuses what a balancer sends it until the next probe fails.
 * How it works: at the signal, readiness turns to 503 and every answer says `connection: close`, while requests are
 *   served as before. After LAME_DUCK_MS (the environment's) the closers run. Each resource registers its own when it
 *   is opened; the last one opened (the listening server) is closed first, so everything it needs still works while it
 *   drains.
 * What it costs: LAME_DUCK_MS at each stop. A balancer probes every second or two: containers wait for five.
 * Its bound: LAME_DUCK_MS_MAX, then STOP_MS for all closers; one that hangs is logged by name and abandoned.
 * Its proof: test/process/graceful-shutdown.test.ts, test/process/leaving.test.ts,
 *   bench/patterns/graceful-shutdown, bench/patterns/lame-duck.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { STOP_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import { within } from '../within.ts';

type Closer = { readonly what: string; readonly close: () => unknown };

export interface Shutdown {
  onStop(what: string, close: () => unknown): void;
  /**
   * Runs once; later calls get the same promise, and end the lame-duck time. Resolves to true when everything closed in
   * time and without error.
   */
  stop(reason: string, lameDuckMs?: number): Promise<boolean>;
  /** Aborted, with the reason, as soon as the stop begins: from then on the process is not ready. */
  readonly stopping: AbortSignal;
}

export function createShutdown(log: Log, stopMs = STOP_MS): Shutdown {
  const closers: Closer[] = [];
  const controller = new AbortController();
  const hurry = new AbortController();
  let stopped: Promise<boolean> | undefined;

  async function leave(reason: string, lameDuckMs: number): Promise<boolean> {
    log.info({ reason, lameDuckMs }, 'stopping');
    controller.abort(reason);
    if (lameDuckMs > 0) await sleep(lameDuckMs, undefined, { signal: hurry.signal }).catch(() => undefined);
    return closeAll();
  }

  async function closeAll(): Promise<boolean> {
    const deadline = performance.now() + stopMs;
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
    stop(reason, lameDuckMs = 0) {
      if (stopped !== undefined) hurry.abort();
      stopped ??= leave(reason, lameDuckMs);
      return stopped;
    },
    stopping: controller.signal,
  };
}

async function settle(close: () => unknown, ms: number): Promise<'closed' | 'late' | Error> {
  try {
    const closed = Promise.resolve(close()).then(() => 'closed' as const);
    return (await within(Math.max(0, ms), closed)) ?? 'late';
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
