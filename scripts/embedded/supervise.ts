/**
 * Keeps a process running: starts it again when it dies unexpectedly, says so at once, and says what to do when it stays
 * down. A worker is told in LAST_EXIT how the last one ended, and whether the kernel killed it because of its memory.
 * Bounds: RESTARTS_MAX restarts, with delays from RESTART_FIRST_MS doubling up to RESTART_DELAY_MS_MAX; after STEADY_MS of
 * running the count is reset.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, type ChildOptions, type Startable, type StopStep, startChild, startReady } from './child.ts';
import {
  RESTART_DELAY_MS_MAX,
  RESTART_FIRST_MS,
  RESTARTS_MAX,
  STEADY_MS,
  WORKER_READY_MS,
  WORKER_STOP_MS,
} from './limits.ts';
import { type OomVerdict, watchOomKills } from './oom-kills.ts';

export type Watching = {
  /** False: what dies is not restarted. Default true. */
  restart?: boolean;
  /** Called when it dies unexpectedly, with what happens next and its last log lines. */
  onDeath?: (message: string) => void;
  /** Called with the new pid after each restart. */
  onRestart?: (pid: number) => void;
};

export type WorkerOptions = ChildOptions &
  Watching & {
    /** Responds with 2xx once the worker is ready. */
    readyUrl: string;
  };

export type Worker = {
  pid: () => number;
  /** Asks it to stop, and sends SIGKILL to its whole group when it does not. */
  stop: () => Promise<void>;
};

/** Resolves when the worker is ready; throws with its last log lines if its first start fails. */
export async function superviseWorker(options: WorkerOptions): Promise<Worker> {
  const stopSteps = WORKER_STOP_STEPS;
  const ready = () => isReady(options.readyUrl);
  const child = await startReady(options, { ready, deadlineMs: WORKER_READY_MS, stopSteps });
  return keepRunning(child, {
    ...{ ...options, stopSteps },
    again: (lastExit) => startChild({ ...options, env: { ...(options.env ?? process.env), LAST_EXIT: lastExit } }),
  });
}

export type ServerWords = {
  /** What works without it. */
  meanwhile: string;
  /** When it stays down. */
  advice: string;
};

/**
 * A server that is ready. One that ends with the exit code 0 was stopped by somebody, who may be at its data: it is not
 * started again.
 */
export function superviseServer(
  { child, again, stopSteps }: Startable,
  words: ServerWords,
  watching: Watching,
): Worker {
  const isAsked = (outcome: string) => outcome === 'exit code 0';
  return keepRunning(child, { ...watching, words, stopSteps, isAsked, again: (_, signal) => again(signal) });
}

const WORKER_STOP_STEPS: StopStep[] = [{ signal: 'SIGTERM', waitMs: WORKER_STOP_MS }];

type Kept = Watching & {
  words?: ServerWords;
  stopSteps: StopStep[];
  /** A start that fails counts as a death. */
  again: (lastExit: string, signal: AbortSignal) => Promise<Child>;
  /** Whether an end was asked for, by somebody else. */
  isAsked?: (outcome: string) => boolean;
};

function keepRunning(first: Child, options: Kept): Worker {
  const { restart = true, onDeath = () => undefined, onRestart = () => undefined, isAsked = () => false } = options;
  const { words } = options;
  const { name } = first;
  const stopping = new AbortController();
  let child = first;
  let restarts = 0;
  const watching = watch();

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const kills = watchOomKills(child.pid);
      const born = Date.now();
      const exited = await child.exited;
      // Only the kernel and a person send SIGKILL; `stop` aborts first.
      const outcome = exited === 'signal SIGKILL' ? KILLED[kills.verdict()] : exited;
      kills.stop();
      if (stopping.signal.aborted) return;
      if (Date.now() - born > STEADY_MS) restarts = 0;
      const verb = isAsked(outcome) ? 'ended' : 'died';
      const next = await nextAfter(outcome, `${name} ${verb} (${outcome})`, child.logTail());
      if (next === undefined) return;
      child = next;
      onRestart(child.pid);
    }
  }

  /** Undefined when it stays down. */
  async function nextAfter(outcome: string, death: string, log: string): Promise<Child | undefined> {
    let says = death;
    let tail = `\n${log}`;
    while (!stopping.signal.aborted) {
      const why = whyNot(outcome);
      if (why !== undefined) {
        const toDo = words === undefined ? '' : `: ${words.meanwhile}. ${words.advice}`;
        onDeath(`${says}; ${why}${toDo}${tail}`);
        return undefined;
      }
      const waitMs = Math.min(RESTART_FIRST_MS * 2 ** restarts, RESTART_DELAY_MS_MAX);
      restarts++;
      const meanwhile = words === undefined ? '' : `. Until then ${words.meanwhile}`;
      onDeath(`${says}; restart ${restarts} of ${RESTARTS_MAX} in ${waitMs} ms${meanwhile}${tail}`);
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return undefined;
      try {
        return await options.again(outcome, stopping.signal);
      } catch (error) {
        [says, tail] = [`${name} cannot be started again: ${(error as Error).message}`, ''];
      }
    }
    return undefined;
  }

  function whyNot(outcome: string): string | undefined {
    if (isAsked(outcome)) return 'somebody has stopped it, so it is not restarted';
    if (!restart) return 'it is not restarted (--no-restart)';
    return restarts >= RESTARTS_MAX ? `it is not restarted again after ${restarts} restarts` : undefined;
  }

  return {
    pid: () => child.pid,
    stop: async () => {
      stopping.abort();
      // A restart that is in progress must finish first, or its child would not be stopped.
      if (child.hasExited()) await watching;
      await child.stop(options.stopSteps);
    },
  };
}

/** What LAST_EXIT says of a SIGKILL (src/redis/deaths.ts reads it). */
const KILLED: Readonly<Record<OomVerdict, string>> = {
  yes: 'oom-kill, the kernel killed it because of its memory',
  perhaps: 'signal SIGKILL, which may have been the kernel because of its memory',
  no: 'signal SIGKILL',
};

function isReady(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
}
