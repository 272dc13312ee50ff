/** The environment of a worker, as src/config.ts reads it. */
import { LISTENING_PROCESSES, type ListeningProcess } from '../../src/processes.ts';
import { choosePort, type PortChoice } from './ports.ts';

export type WorkerPorts = Record<ListeningProcess, number>;

export type WorkerSettings = {
  /** The owner's, for migrations. */
  databaseUrl: string;
  workerDatabaseUrl: string;
  workerDatabaseReplicaUrl: string | undefined;
  redisUrl: string;
  smtpUrl: string;
  secretKey: string;
  /** Who may see the whole platform; nobody unless given. */
  operators?: string;
  ports: WorkerPorts;
};

export async function chooseWorkerPorts(choice: PortChoice = 'usual'): Promise<WorkerPorts> {
  const ports: Partial<WorkerPorts> = {};
  // One at a time: two concurrent calls could get the same port.
  for (const name of LISTENING_PROCESSES) ports[name] = await choosePort(name, choice);
  return ports as WorkerPorts;
}

/** `outer` is the environment of the starting process: variables set there win, except for the addresses. */
export function workerEnvironment(settings: WorkerSettings, outer: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { ports } = settings;
  return {
    SECRET_KEY: settings.secretKey,
    HOST: '127.0.0.1',
    API_URL: `http://127.0.0.1:${ports.api}`,
    CHAT_URL: `http://127.0.0.1:${ports.chat}`,
    LOG_LEVEL: 'info',
    OPERATORS: settings.operators ?? '',
    ...outer,
    DATABASE_URL: settings.workerDatabaseUrl,
    DATABASE_MIGRATE_URL: settings.databaseUrl,
    DATABASE_REPLICA_URL: settings.workerDatabaseReplicaUrl ?? '',
    REDIS_URL: settings.redisUrl,
    SMTP_URL: settings.smtpUrl,
    API_PORT: String(ports.api),
    CHAT_PORT: String(ports.chat),
    MAILER_PORT: String(ports.mailer),
  };
}
