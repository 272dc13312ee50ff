/**
 * The processes of a deployment. Everything that needs their names takes them from here: the launcher, the
 * configuration of ports and instances, the connection budget, the embedded stack, the bench and the doctor.
 */
export const PROCESSES = {
  api: { port: 3000, instances: 1 },
  mailer: { port: 3002, instances: 1 },
  chat: { port: 3001, instances: 1 },
  /** The three above in one process, on their ports. */
  all: { port: undefined, instances: 0 },
  /** Runs once and serves nothing. */
  migrate: { port: undefined, instances: undefined },
} as const;

export type ProcessName = keyof typeof PROCESSES;

/** Long-running processes, of which a deployment can have several instances. */
export type ServingProcess = Exclude<ProcessName, 'migrate'>;

/** Processes that have their own port. */
export type ListeningProcess = 'api' | 'mailer' | 'chat';

export const PROCESS_NAMES = Object.keys(PROCESSES) as ProcessName[];
export const SERVING_PROCESSES = PROCESS_NAMES.filter((name): name is ServingProcess => name !== 'migrate');
/** In the order they start; they stop in reverse. */
export const LISTENING_PROCESSES: readonly ListeningProcess[] = ['api', 'mailer', 'chat'];
