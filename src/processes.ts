/**
 * The processes of a deployment. Everything that differs between them by name takes it from here: the launcher, the
 * configuration of ports and instances, the connection budget, the embedded stack, the bench and the doctor.
 */
export const PROCESSES = {
  api: { port: 3000, instances: 1 },
  mailer: { port: 3002, instances: 1 },
  chat: { port: 3001, instances: 1 },
  /** The three above in one process, on their ports. */
  all: { port: undefined, instances: 0 },
  /** Runs once, and serves nothing. */
  migrate: { port: undefined, instances: undefined },
} as const;

export type ProcessName = keyof typeof PROCESSES;

/** Processes that serve, of which a deployment may run several. */
export type ServingProcess = Exclude<ProcessName, 'migrate'>;

/** Processes with a port of their own. */
export type ListeningProcess = 'api' | 'mailer' | 'chat';

export const PROCESS_NAMES = Object.keys(PROCESSES) as ProcessName[];
export const SERVING_PROCESSES = PROCESS_NAMES.filter((name): name is ServingProcess => name !== 'migrate');
/** In the order they start; they stop the other way round. */
export const LISTENING_PROCESSES: readonly ListeningProcess[] = ['api', 'mailer', 'chat'];
