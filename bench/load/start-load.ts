import { type ChildProcess, fork } from 'node:child_process';
import type { LoadFigures } from '../types.ts';
import type { CapacityFigures } from './closed-loop.ts';
import { WORKER_START_MS, WORKER_STOP_MS } from './limits.ts';
import { refuseStrangers } from './may-load.ts';
import type { ClosedLoopPlan, FromWorker, LoadPlan, LoadSample, ModulePlan, OpenLoopPlan, ToWorker } from './plan.ts';

/** The event of every generator whose process has started. */
export const READY = 'ready';

export interface RunningLoad<Figures> {
  readonly pid: number;
  /** Rejects when the generator fails or dies. */
  readonly figures: Promise<Figures>;
  /** Ends it early; the figures are those until now. */
  stop(): void;
  /** Resolves when the generator reports this event, `connected` for example. */
  event(name: string): Promise<void>;
}

export interface LoadOptions {
  /** In a session of its own, for one that gives way to everything else. */
  readonly ownSession?: boolean;
  /** It is started now, and begins when this resolves: the start of a process is no part of a load. Default: at once. */
  readonly begins?: Promise<unknown>;
}

/** Starts a generator in a process of its own. @throws for an address that may not be put under load */
export function startLoad(plan: OpenLoopPlan, onSample?: (sample: LoadSample) => void): RunningLoad<LoadFigures>;
export function startLoad(plan: ClosedLoopPlan): RunningLoad<CapacityFigures>;
export function startLoad<Figures extends LoadFigures>(
  plan: OpenLoopPlan | ModulePlan<Figures>,
  onSample?: (sample: LoadSample) => void,
  options?: LoadOptions,
): RunningLoad<Figures>;
export function startLoad(
  plan: LoadPlan,
  onSample: (sample: LoadSample) => void = () => {},
  { ownSession = false, begins = Promise.resolve() }: LoadOptions = {},
): RunningLoad<unknown> {
  if ('url' in plan) refuseStrangers(String(plan.url));
  begins.catch(() => undefined); // it may fail before the process is ready
  const child = fork(new URL('./worker.ts', import.meta.url), {
    // Young garbage is all that a generator makes: with room for it, collections are rare and short.
    execArgv: ['--max-semi-space-size=64'],
    detached: ownSession,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const resolvers = new Map<string, () => void>();
  const events = new Map<string, Promise<void>>();
  const eventOf = (name: string): Promise<void> => {
    const promise = events.get(name) ?? new Promise<void>((resolve) => resolvers.set(name, resolve));
    events.set(name, promise);
    return promise;
  };

  const say = (name: string): void => {
    void eventOf(name);
    resolvers.get(name)?.();
  };

  const stopped = Promise.withResolvers<void>();
  const figures = new Promise<unknown>((resolve, reject) => {
    const fail = (error: Error) => {
      reject(error);
      child.kill('SIGKILL');
    };
    const starting = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`The load generator did not start within ${WORKER_START_MS} ms.`));
    }, WORKER_START_MS);
    child.on('message', (message: FromWorker) => {
      if ('ready' in message) {
        clearTimeout(starting);
        say(READY);
        Promise.race([begins, stopped.promise]).then(() => tell(child, { plan }), fail);
      } else if ('sample' in message) onSample(message.sample);
      else if ('event' in message) say(message.event);
      else if ('figures' in message) resolve(message.figures);
      else reject(new Error(`The load generator failed: ${message.error}`));
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(starting);
      reject(new Error(`The load generator ended with ${signal ?? code} before its figures.`));
    });
  });
  figures.catch(() => undefined); // whoever waits for an event first still sees it later
  return {
    pid: child.pid ?? 0,
    figures,
    event: (name) => Promise.race([eventOf(name), figures.then(() => neverSaid(name))]),
    stop() {
      tell(child, { stop: true });
      stopped.resolve(); // it still begins, to say that there is nothing to say
      setTimeout(() => child.kill('SIGKILL'), WORKER_STOP_MS + 2 * WORKER_START_MS).unref();
    },
  };
}

function neverSaid(name: string): never {
  throw new Error(`The load generator ended without saying "${name}".`);
}

function tell(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message, () => undefined);
}
