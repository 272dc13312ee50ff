/**
 * Keeps a worker running: waits until it is ready, and restarts it when it dies unexpectedly. It tells the next one in
 * LAST_EXIT how the last one ended, and whether the kernel killed it because of its memory.
 * Bounds: WORKER_RESTARTS_MAX restarts, with delays from WORKER_RESTART_FIRST_MS doubling up to
 * WORKER_RESTART_DELAY_MS_MAX; after WORKER_STEADY_MS of running the count is reset.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, type ChildOptions, startChild, waitForChild } from './child.ts';
import {
  WORKER_READY_MS,
  WORKER_RESTART_DELAY_MS_MAX,
  WORKER_RESTART_FIRST_MS,
  WORKER_RESTARTS_MAX,
  WORKER_STEADY_MS,
  WORKER_STOP_MS,
} from './limits.ts';

export type WorkerOptions = ChildOptions & {
  /** Responds with 2xx once the worker is ready. */
  readyUrl: string;
  /** False: a worker that dies is not restarted. Default true. */
  restart?: boolean;
  /** Called when the worker dies unexpectedly, with what happens next and its last log lines. */
  onDeath?: (message: string) => void;
  /** Called with the new pid after each restart. */
  onRestart?: (pid: number) => void;
};

export type Worker = {
  pid: () => number;
  /** SIGTERM, WORKER_STOP_MS, then SIGKILL to its whole group. */
  stop: () => Promise<void>;
};

/** Resolves when the worker is ready; throws with its last log lines if its first start fails. */
export async function superviseWorker(options: WorkerOptions): Promise<Worker> {
  const { name, readyUrl, restart = true, onDeath = () => undefined, onRestart = () => undefined } = options;
  const stopping = new AbortController();
  let killsBefore = oomKills();
  let child = await startReady(options);
  let born = Date.now();
  let restarts = 0;
  const watching = watch().catch((error: Error) => onDeath(`${name} cannot be restarted: ${error.message}`));

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const outcome = outcomeOf(await child.exited);
      if (stopping.signal.aborted) return;
      if (Date.now() - born > WORKER_STEADY_MS) restarts = 0;
      if (!restart || restarts >= WORKER_RESTARTS_MAX) {
        const why = restart
          ? `it is not restarted again after ${restarts} restarts`
          : 'it is not restarted (--no-restart)';
        return onDeath(`${name} died (${outcome}); ${why}\n${child.logTail()}`);
      }
      const waitMs = Math.min(WORKER_RESTART_FIRST_MS * 2 ** restarts, WORKER_RESTART_DELAY_MS_MAX);
      restarts++;
      onDeath(
        `${name} died (${outcome}); restart ${restarts} of ${WORKER_RESTARTS_MAX} in ${waitMs} ms\n${child.logTail()}`,
      );
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      killsBefore = oomKills();
      child = await startChild({ ...options, env: { ...(options.env ?? process.env), LAST_EXIT: outcome } });
      born = Date.now();
      onRestart(child.pid);
    }
  }

  /** A SIGKILL that nobody here sent, while the kernel has killed something for want of memory. */
  function outcomeOf(exited: string): string {
    const isOutOfMemory = exited === 'signal SIGKILL' && oomKills() > killsBefore;
    return isOutOfMemory ? 'oom-kill, the kernel killed it because of its memory' : exited;
  }

  return {
    pid: () => child.pid,
    stop: async () => {
      stopping.abort();
      await watchSettles(watching, child);
      await child.stop([{ signal: 'SIGTERM', waitMs: WORKER_STOP_MS }]);
    },
  };

  async function startReady(startOptions: ChildOptions): Promise<Child> {
    const first = await startChild(startOptions);
    try {
      await waitForChild(first, WORKER_READY_MS, () => isReady(readyUrl));
      return first;
    } catch (error) {
      await first.stop([{ signal: 'SIGTERM', waitMs: WORKER_STOP_MS }]);
      throw error;
    }
  }
}

/** A restart that is in progress must finish first, or its child would not be stopped. */
async function watchSettles(watching: Promise<void>, child: Child): Promise<void> {
  if (child.hasExited()) await watching;
}

/** How often the kernel has killed for want of memory since it started, in any group; 0 outside Linux. */
function oomKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function isReady(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
}
