/** What to examine: from the arguments, else the environment as the product reads it, else a running `npm start`. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseSize } from '../../bench/box/size.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import { StartError } from '../../src/errors.ts';
import { NANO_BYTES } from '../../src/limits.ts';
import { SERVING_PROCESSES } from '../../src/processes.ts';
import { stackOwner } from '../embedded/leftovers.ts';
import { readStackFile } from '../embedded/stack-file.ts';
import type { Addresses } from './servers.ts';

export type Options = { addresses: Addresses; instances: Config['instances']; memoryBytes: number; json: boolean };

export const USAGE =
  'npm run doctor -- [--database-url=…] [--replica-url=…] [--redis-url=…] [--instances=api:2,mailer:1,chat:1] [--memory=512m] [--json]';

type Environment = Record<string, string | undefined>;

/** @throws StartError that lists everything that is wrong with the arguments or the environment */
export function readOptions(args: string[], outer: Environment): Options {
  const flags = readFlags(args);
  const memoryBytes = flags.memory === undefined ? NANO_BYTES : parseSize(flags.memory);
  if (!memoryBytes) throw new StartError(`--memory is a size like 512m or 2g, not ${flags.memory}\n${USAGE}`);
  const servers = namedServers(flags, outer);
  if (servers === undefined) {
    throw new StartError(`No database to look at: set DATABASE_URL, run npm start beside, or name one.\n${USAGE}`);
  }
  // Mail and secrets are not examined: with placeholders for them, the product's own config reader can read the rest.
  const config = loadConfig({
    ...outer,
    ...readInstances(flags.instances),
    DATABASE_MIGRATE_URL: undefined,
    NODE_ENV: 'development', // what production refuses is not examined here either
    SMTP_URL: 'smtp://not-looked-at',
    SECRET_KEY: 'not looked at, and long enough for the rule',
    DATABASE_URL: servers.databaseUrl,
    DATABASE_REPLICA_URL: servers.databaseReplicaUrl,
    REDIS_URL: servers.redisUrl ?? 'redis://not-looked-at',
  });
  const { databaseUrl, databaseReplicaUrl, instances } = config;
  const redisUrl = servers.redisUrl === undefined ? undefined : config.redisUrl;
  return { addresses: { databaseUrl, databaseReplicaUrl, redisUrl }, instances, memoryBytes, json: flags.json };
}

function readFlags(args: string[]) {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: {
        'database-url': text,
        'replica-url': text,
        'redis-url': text,
        instances: text,
        memory: text,
        folder: { type: 'string', default: path.resolve(import.meta.dirname, '..', '..', '.tardigrade') },
        json: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n${USAGE}`);
  }
}

/** All from one source: never the replica or the queues of one deployment with the database of another. */
function namedServers(flags: ReturnType<typeof readFlags>, outer: Environment): Addresses | undefined {
  const named = flags['database-url']
    ? { databaseUrl: flags['database-url'], databaseReplicaUrl: undefined, redisUrl: undefined }
    : (fromEnvironment(outer) ?? fromRunningStack(flags.folder));
  if (named === undefined) return undefined;
  return {
    databaseUrl: named.databaseUrl,
    databaseReplicaUrl: flags['replica-url'] || named.databaseReplicaUrl,
    redisUrl: flags['redis-url'] || named.redisUrl,
  };
}

function fromEnvironment(outer: Environment): Addresses | undefined {
  const value = (name: string) => outer[name]?.trim() || undefined;
  const databaseUrl = value('DATABASE_URL');
  if (databaseUrl === undefined) return undefined;
  return { databaseUrl, databaseReplicaUrl: value('DATABASE_REPLICA_URL'), redisUrl: value('REDIS_URL') };
}

/** Connects as the owner, which can see the sessions of all roles. */
function fromRunningStack(folder: string): Addresses | undefined {
  return stackOwner(folder) === undefined ? undefined : readStackFile(folder);
}

const INSTANCES = new RegExp(`^(${SERVING_PROCESSES.join('|')}):(\\d+)$`);

/** `api:2,mailer:1` is the whole deployment: processes that are left out do not run. */
function readInstances(text: string | undefined): Environment {
  if (text === undefined) return {};
  const none = { API_INSTANCES: '0', MAILER_INSTANCES: '0', CHAT_INSTANCES: '0', ALL_INSTANCES: '0' };
  const named = text.split(',').map((part) => {
    const [, name, count] = INSTANCES.exec(part.trim()) ?? [];
    if (name === undefined)
      throw new StartError(`--instances is a list like api:2,mailer:1,chat:1, not ${text}\n${USAGE}`);
    return [`${name.toUpperCase()}_INSTANCES`, count];
  });
  return { ...none, ...Object.fromEntries(named) };
}
