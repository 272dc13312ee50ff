import { type Config, loadConfig } from '../config.ts';
import { StartError } from '../errors.ts';
import { RELATIONS } from '../limits.ts';
import { createLog, type Log } from '../log.ts';
import type { ProcessName } from '../processes.ts';
import { createShutdown, type Shutdown } from './graceful-shutdown.ts';
import { createHealth, type Health } from './health-check.ts';
import { checkHeap } from './memory-limit.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { yieldProcessor } from './yield-processor.ts';

/** What every worker gets; it opens everything else itself, in order. */
export interface Process {
  readonly name: ProcessName;
  readonly config: Config;
  readonly log: Log;
  readonly health: Health;
  readonly metrics: Metrics;
  /** Aborted when the stop begins. */
  readonly stopping: AbortSignal;
  /**
   * Opens a resource and registers how to close it. Opening the same name again returns the same resource: this is how
   * the parts of `all` share one pool.
   */
  open<T>(what: string, open: () => T | Promise<T>, close: (opened: T) => unknown): Promise<T>;
  /** For a process that has finished its work: shuts down in order and exits with 0. */
  end(): void;
}

/**
 * The lifecycle of every process: config, log, start, signals, ordered shutdown. Returns when the worker has started.
 */
export async function runProcess(name: ProcessName, start: (process: Process) => Promise<void>): Promise<void> {
  try {
    const config = loadConfig();
    checkRelations();
    await live(name, config, start);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${name} cannot start.\n${error.message}\n`);
    process.exit(1);
  }
}

async function live(name: ProcessName, config: Config, start: (process: Process) => Promise<void>): Promise<void> {
  const log = createLog(name, config.logLevel);
  checkHeap(log);
  const shutdown = createShutdown(log);
  let serves = false;
  const end = async (reason: string, code: number, lameDuckMs = 0) => {
    const clean = await shutdown.stop(reason, lameDuckMs);
    process.exit(clean ? code : 1);
  };
  // SIGHUP: the terminal is gone, for example the ssh connection that it was started from.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => void end(signal, 0, serves ? config.lameDuckMs : 0));
  // After an unexpected error the state is unknown: shut down in order and let the platform restart the process.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    void end('uncaught exception', 1);
  });

  if (name === 'mailer') yieldProcessor();
  try {
    const { telemetryUrl: url, telemetryHeaders: headers, telemetryShare: share } = config;
    if (url !== undefined) {
      const { openTelemetry } = await import('./telemetry.ts');
      const telemetry = openTelemetry({ name, url, headers, share });
      shutdown.onStop('telemetry', telemetry.close);
    }
    await start(createProcess(name, config, log, shutdown, () => void end('done', 0)));
    serves = name !== 'migrate';
    log.info('started');
  } catch (error) {
    await shutdown.stop('start failed');
    throw error;
  }
}

/** Without the signals and the exit of a real process: tests start workers with it. */
export function createProcess(
  name: ProcessName,
  config: Config,
  log: Log,
  shutdown: Shutdown,
  end: () => void,
): Process {
  const opened = new Map<string, Promise<unknown>>();
  return {
    name,
    config,
    log,
    health: createHealth(shutdown.stopping, config.environment),
    metrics: createMetrics(name),
    stopping: shutdown.stopping,
    open<T>(what: string, open: () => T | Promise<T>, close: (opened: T) => unknown) {
      const known = opened.get(what) as Promise<T> | undefined;
      if (known !== undefined) return known;
      const opening = Promise.resolve(open()).then((resource) => {
        shutdown.onStop(what, () => close(resource));
        return resource;
      });
      opened.set(what, opening);
      return opening;
    },
    end,
  };
}

function checkRelations(): void {
  const broken = RELATIONS.filter(([, holds]) => !holds).map(([relation]) => relation);
  if (broken.length > 0) throw new StartError(`limits.ts contradicts itself: ${broken.join(', ')}`);
}
