/**
 * The servers that the product needs, as child processes: PostgreSQL primary and replica, Redis, a mail catcher.
 * `npm start` and the tests start the same ones. Each address in `given` replaces a part with a real server.
 */
import path from 'node:path';
import type { Startable, WrapCommand } from './child.ts';
import { claimFolder, releaseFolder } from './leftovers.ts';
import { createMailCatcher } from './mail.ts';
import { choosePort, type PortChoice } from './ports.ts';
import { createPrimary, createReplica, type Postgres } from './postgres.ts';
import { createRedis } from './redis.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { type ServerWords, superviseServer, type Worker } from './supervise.ts';

export type StackOptions = {
  /** Contains everything that the stack writes: data, logs, secrets. One stack per folder. */
  folder: string;
  /** False for tests only: no fsync. Default true. */
  durable?: boolean;
  ports?: PortChoice;
  /** Default true. */
  withMail?: boolean;
  /** Default true; false saves a process in tests that do not use it. */
  withReplica?: boolean;
  /** Addresses of real servers to use instead of embedded ones. */
  given?: GivenServers;
  /** Puts each part's commands into a box. */
  wrap?: WrapCommand | undefined;
  /** Keeps the servers running (supervise.ts); without it one that dies stays down, and nobody is told. */
  watching?: StackWatching;
  /** Called after each step, with the milliseconds that it took. */
  onProgress?: (step: string, ms: number) => void;
};

export type StackWatching = {
  /** False: a server that dies is told of, and not restarted. */
  restart: boolean;
  onDeath: (message: string) => void;
  /** Called when a server is ready again. */
  onRestart: (name: ServerName, pid: number) => void;
};

export type ServerName = 'primary' | 'replica' | 'redis' | 'mail';

export type GivenServers = {
  databaseUrl?: string | undefined;
  databaseMigrateUrl?: string | undefined;
  databaseReplicaUrl?: string | undefined;
  redisUrl?: string | undefined;
  smtpUrl?: string | undefined;
};

export type Stack = {
  urls: { mail: string | undefined };
  /** As the owner of the database: for migrations, the seed and inspection. */
  databaseUrl: string;
  /** For the workers: a role that can only take the product's roles. */
  workerDatabaseUrl: string;
  workerDatabaseReplicaUrl: string | undefined;
  databaseReplicaUrl: string | undefined;
  /** The superuser's; undefined for given servers. */
  databaseAdminUrl: string | undefined;
  databaseReplicaAdminUrl: string | undefined;
  redisUrl: string;
  smtpUrl: string | undefined;
  secrets: Secrets;
  /** Of the embedded servers that run now. */
  readonly pids: Record<string, number>;
  /** Stops what was started, in reverse. Does not reject because of a part that is already gone. */
  stop: () => Promise<void>;
};

/**
 * Starts all of the stack or none of it: if a part fails, the others are stopped, and the error names it and shows its
 * log.
 * @throws StackRunningError if a stack is already running in the folder
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const folder = path.resolve(options.folder);
  const { durable = true, ports = 'usual', given = {}, wrap, onProgress = () => undefined } = options;
  const started = performance.now();
  const stopped = await claimFolder(folder);
  if (stopped.length > 0) onProgress(`stopped leftovers: ${stopped.join(', ')}`, performance.now() - started);

  const parts = new Map<ServerName, Worker>();
  const stop = async () => {
    // The replica before the primary; Redis and mail depend on neither.
    for (const name of ['mail', 'redis', 'replica', 'primary'] as const) await parts.get(name)?.stop();
    releaseFolder(folder);
  };
  const step = async <S extends Server>(name: ServerName, label: string, create: () => Promise<S>): Promise<S> => {
    const begun = performance.now();
    const part = await create();
    parts.set(name, options.watching === undefined ? unwatched(part) : watched(name, part, options.watching, folder));
    onProgress(label, performance.now() - begun);
    return part;
  };

  try {
    const secrets = loadSecrets(folder);
    const port = {
      primary: await choosePort('primary', ports),
      replica: await choosePort('replica', ports),
      redis: await choosePort('redis', ports),
      smtp: await choosePort('smtp', ports),
      mail: await choosePort('mail', ports),
    };

    const startDatabases = async (): Promise<{ primary?: Postgres; replica?: Postgres }> => {
      if (given.databaseUrl !== undefined) return {};
      const base = { folder, secrets, durable, wrap };
      const primary = await step('primary', 'PostgreSQL primary', () => createPrimary({ ...base, port: port.primary }));
      // A given replica follows another primary: with ours it would return that one's data.
      if (options.withReplica === false) return { primary };
      const replica = await step('replica', 'PostgreSQL replica', () =>
        createReplica({ ...base, port: port.replica, primary }),
      );
      return { primary, replica };
    };
    const startRedis = async () => {
      if (given.redisUrl !== undefined) return undefined;
      const create = () => createRedis({ folder, port: port.redis, password: secrets.redisPassword, durable, wrap });
      return step('redis', 'Redis', create);
    };
    const startMail = async () => {
      if (given.smtpUrl !== undefined || options.withMail === false) return undefined;
      return step('mail', 'Mail catcher', () =>
        createMailCatcher({ folder, smtpPort: port.smtp, webPort: port.mail, wrap }),
      );
    };

    const [{ primary, replica }, redis, mail] = await allOrThrow([
      startDatabases(),
      startRedis(),
      startMail(),
    ] as const);
    return {
      urls: { mail: mail?.webUrl },
      databaseUrl: given.databaseMigrateUrl ?? given.databaseUrl ?? (primary?.url as string),
      workerDatabaseUrl: given.databaseUrl ?? (primary?.workerUrl as string),
      workerDatabaseReplicaUrl: given.databaseUrl === undefined ? replica?.workerUrl : given.databaseReplicaUrl,
      databaseReplicaUrl: given.databaseUrl === undefined ? replica?.url : given.databaseReplicaUrl,
      databaseAdminUrl: primary?.adminUrl,
      databaseReplicaAdminUrl: replica?.adminUrl,
      redisUrl: given.redisUrl ?? (redis?.url as string),
      smtpUrl: given.smtpUrl ?? mail?.smtpUrl,
      secrets,
      get pids() {
        return Object.fromEntries([...parts].map(([name, { pid }]) => [name, pid()]));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The servers given in an environment; an empty variable counts as unset. */
export function givenServers(environment: Record<string, string | undefined>): GivenServers {
  return {
    databaseUrl: environment.DATABASE_URL || undefined,
    databaseMigrateUrl: environment.DATABASE_MIGRATE_URL || undefined,
    databaseReplicaUrl: environment.DATABASE_REPLICA_URL || undefined,
    redisUrl: environment.REDIS_URL || undefined,
    smtpUrl: environment.SMTP_URL || undefined,
  };
}

type Server = Startable & { pid: number; stop: () => Promise<void> };

function unwatched({ pid, stop }: Server): Worker {
  return { pid: () => pid, stop };
}

const MEANWHILE: Readonly<Record<ServerName, string>> = {
  primary: 'nobody can sign in, read or write',
  replica: 'everything is read from the primary',
  redis: 'people are served, and mails and jobs wait',
  mail: 'mails wait',
};

function watched(name: ServerName, server: Server, { onRestart, ...watching }: StackWatching, folder: string): Worker {
  const words: ServerWords = {
    meanwhile: MEANWHILE[name],
    advice: `See why in ${path.join(folder, 'logs', `${name}.log`)}, then stop everything with Ctrl-C and start it again: the data stays`,
  };
  return superviseServer(server, words, { ...watching, onRestart: (pid) => onRestart(name, pid) });
}

/** Waits for all before it throws: a part that is still starting could not be stopped. */
async function allOrThrow<T extends readonly Promise<unknown>[]>(tasks: T) {
  const results = await Promise.allSettled(tasks);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Promise.all(tasks);
}
