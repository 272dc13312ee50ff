/**
 * Keeps a worker running: waits until it is ready, and restarts it when it dies unexpectedly. It tells the next one in
 * LAST_EXIT how the last one ended, and whether the kernel killed it because of its memory.
 * Bounds: WORKER_RESTARTS_MAX restarts, with delays from WORKER_RESTART_FIRST_MS doubling up to
 * WORKER_RESTART_DELAY_MS_MAX; after WORKER_STEADY_MS of running the count is reset.
 */
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
import { type OomVerdict, watchOomKills } from './oom-kills.ts';

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
  let child = await startReady(options);
  let kills = watchOomKills(child.pid);
  let born = Date.now();
  let restarts = 0;
  const watching = watch().catch((error: Error) => onDeath(`${name} cannot be restarted: ${error.message}`));

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const exited = await child.exited;
      // Only the kernel and a person send SIGKILL; `stop` aborts first.
      const outcome = exited === 'signal SIGKILL' ? KILLED[kills.verdict()] : exited;
      kills.stop();
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
      child = await startChild({ ...options, env: { ...(options.env ?? process.env), LAST_EXIT: outcome } });
      kills = watchOomKills(child.pid);
      born = Date.now();
      onRestart(child.pid);
    }
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

/** What LAST_EXIT says of a SIGKILL (src/redis/deaths.ts reads it). */
const KILLED: Readonly<Record<OomVerdict, string>> = {
  yes: 'oom-kill, the kernel killed it because of its memory',
  perhaps: 'signal SIGKILL, which may have been the kernel because of its memory',
  no: 'signal SIGKILL',
};

/** A restart that is in progress must finish first, or its child would not be stopped. */
async function watchSettles(watching: Promise<void>, child: Child): Promise<void> {
  if (child.hasExited()) await watching;
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
