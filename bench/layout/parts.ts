/** How each part of the product is started, in order; ports and addresses stay the same over restarts. */
import path from 'node:path';
import type { WrapCommand } from '../../scripts/embedded/child.ts';
import { createMailCatcher } from '../../scripts/embedded/mail.ts';
import { choosePort } from '../../scripts/embedded/ports.ts';
import { createPrimary, createReplica, type Postgres } from '../../scripts/embedded/postgres.ts';
import { createRedis } from '../../scripts/embedded/redis.ts';
import { loadSecrets } from '../../scripts/embedded/secrets.ts';
import { superviseWorker } from '../../scripts/embedded/supervise.ts';
import { chooseWorkerPorts, workerEnvironment } from '../../scripts/embedded/worker-environment.ts';
import { OPERATORS } from '../load/operators.ts';

export type ServerName = 'primary' | 'replica' | 'redis' | 'mail';
export type WorkerName = 'api' | 'mailer' | 'chat' | 'all';
/** A second instance listens on a port of its own. */
export type WorkerPart = WorkerName | 'api-2' | 'chat-2' | 'mailer-2';
export type PartName = ServerName | WorkerPart;

/** `chat` for `chat-2`. */
export function workerOf(part: WorkerPart): WorkerName {
  return part.replace(/-2$/, '') as WorkerName;
}

export interface RunningPart {
  readonly pid: number;
  /** Processes of the part that do not descend from its leading one. */
  alsoPids?(): readonly number[];
  stop(): Promise<void>;
}

export type DatabaseAddresses = Pick<
  Addresses,
  'databaseUrl' | 'workerDatabaseUrl' | 'databaseAdminUrl' | 'databaseReplicaUrl' | 'workerDatabaseReplicaUrl'
>;

/** Servers in the place of the embedded primary and replica, in their boxes. */
export interface Databases {
  start(part: 'primary' | 'replica', wrap: WrapCommand): Promise<RunningPart>;
  addresses(): DatabaseAddresses;
  /** After the parts have stopped. */
  close(): Promise<void>;
}

export interface Addresses {
  readonly api: string;
  readonly chat: string;
  /** Of all instances that the layout can have. */
  readonly apis: readonly string[];
  readonly chats: readonly string[];
  readonly mailer: string;
  readonly mail: string;
  /** The owner's: sees everything. */
  readonly databaseUrl: string;
  readonly workerDatabaseUrl: string;
  readonly workerDatabaseReplicaUrl: string;
  readonly databaseAdminUrl: string;
  readonly databaseReplicaUrl: string;
  readonly redisUrl: string;
  readonly smtpUrl: string;
  readonly secretKey: string;
}

/** Arguments of node, by the part that they take the place of: `chat` for every chat that is not named itself. */
export type Programs = Readonly<Partial<Record<WorkerPart, readonly string[]>>>;

/** A handful of signed-in users plays everybody: the limit for one is counted and never reached. */
const UNLIMITED = 100_000_000;

export interface Parts {
  start(part: PartName): Promise<RunningPart>;
  /** Complete once primary, replica, redis and mail have started. */
  addresses(): Addresses;
}

export interface PartsOptions {
  readonly root: string;
  readonly folder: string;
  /** For the workers, over the layout's own: MAIL_PER_SECOND and the like. */
  readonly environment: Readonly<Record<string, string>>;
  /** What node is given instead of the product's own worker. */
  readonly programs: Programs;
  readonly databases?: Databases | undefined;
  /** In the place of the mail catcher's. */
  readonly smtpUrl?: string | undefined;
  wrapOf(part: PartName): WrapCommand;
  onDeath(part: PartName, message: string): void;
}

export async function createParts(options: PartsOptions): Promise<Parts> {
  const { root, folder, environment, programs, databases, wrapOf, onDeath } = options;
  const secrets = loadSecrets(folder);
  const ports = {
    primary: await choosePort('primary', 'any'),
    replica: await choosePort('replica', 'any'),
    redis: await choosePort('redis', 'any'),
    smtp: await choosePort('smtp', 'any'),
    mail: await choosePort('mail', 'any'),
    workers: await chooseWorkerPorts('any'),
    second: await chooseWorkerPorts('any'),
  };
  const at = (port: number) => `http://127.0.0.1:${port}`;
  let primary: Postgres | undefined;
  let replica: Postgres | undefined;
  let redisUrl = '';

  const addresses = (): Addresses => ({
    api: at(ports.workers.api),
    chat: at(ports.workers.chat),
    apis: [at(ports.workers.api), at(ports.second.api)],
    chats: [at(ports.workers.chat), at(ports.second.chat)],
    mailer: at(ports.workers.mailer),
    mail: at(ports.mail),
    databaseUrl: primary?.url ?? '',
    workerDatabaseUrl: primary?.workerUrl ?? '',
    workerDatabaseReplicaUrl: replica?.workerUrl ?? '',
    databaseAdminUrl: primary?.adminUrl ?? '',
    databaseReplicaUrl: replica?.url ?? '',
    ...databases?.addresses(),
    redisUrl,
    smtpUrl: options.smtpUrl ?? `smtp://127.0.0.1:${ports.smtp}`,
    secretKey: secrets.secretKey,
  });

  async function start(part: PartName): Promise<RunningPart> {
    const wrap = wrapOf(part);
    if (databases !== undefined && (part === 'primary' || part === 'replica')) return databases.start(part, wrap);
    switch (part) {
      case 'primary':
        primary = await createPrimary({ folder, secrets, port: ports.primary, wrap });
        return primary;
      case 'replica':
        if (primary === undefined) throw new Error('the replica follows a primary: start that first');
        replica = await createReplica({ folder, secrets, port: ports.replica, primary, wrap });
        return replica;
      case 'redis': {
        const redis = await createRedis({ folder, port: ports.redis, password: secrets.redisPassword, wrap });
        redisUrl = redis.url;
        return redis;
      }
      case 'mail':
        return createMailCatcher({ folder, smtpPort: ports.smtp, webPort: ports.mail, wrap });
      default:
        return startWorker(part, wrap);
    }
  }

  async function startWorker(part: WorkerPart, wrap: WrapCommand): Promise<RunningPart> {
    const name = workerOf(part);
    const own = part === name ? ports.workers : ports.second;
    const settings = { ...addresses(), operators: OPERATORS.join(), ports: own };
    const worker = await superviseWorker({
      folder,
      name: part,
      wrap,
      command: process.execPath,
      args: [...(programs[part] ?? programs[name] ?? [path.join('dist', 'launch.js'), name])],
      cwd: root,
      env: workerEnvironment(settings, {
        PATH: process.env['PATH'],
        REQUESTS_PER_MINUTE: String(UNLIMITED),
        // What people's links lead to is the first instance, whichever sends them.
        API_URL: at(ports.workers.api),
        CHAT_URL: at(ports.workers.chat),
        ...environment,
      }),
      readyUrl: `${at(own[name === 'all' ? 'api' : name])}/readyz`,
      // A part that dies is news for the scenario, which starts it again itself.
      restart: false,
      onDeath: (message) => onDeath(part, message),
    });
    return { pid: worker.pid(), stop: worker.stop };
  }

  return { start, addresses };
}
