import { Redis } from 'ioredis';
import { StartError } from '../errors.ts';
import {
  REDIS_COMMAND_MS,
  REDIS_CONNECTED_POLL_MS,
  REDIS_CONSUMER_SILENCE_MS,
  REDIS_REPLACE_EVERY_MS,
  REDIS_SILENCE_MS,
  START_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import { within } from '../within.ts';
import { watchedConnector } from './watched-connection.ts';

/**
 * A connection for commands that a request or a loop waits for: they fail at once while Redis is down.
 * By default every command is queued in memory until Redis is back: 20 MB a second under load, and answers that come
 * too late. Those who can do without Redis do not `wait` for it at their start, beyond one try.
 */
export async function openRedis(url: string, log: Log, { wait = true } = {}): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: REDIS_COMMAND_MS,
    connectTimeout: REDIS_COMMAND_MS,
    Connector: watchedConnector(REDIS_SILENCE_MS),
    reconnectOnError: createReplacement(log),
  });
  redis.on('error', (error) => log.warn({ err: error }, 'redis connection error'));
  if (wait) await connected(redis, url);
  else await within(REDIS_COMMAND_MS, redis.connect()).catch(() => undefined); // ioredis keeps trying
  await refuseOtherDatabase(redis);
  return redis;
}

/** For BullMQ's consumers, which wait for Redis as long as it takes (their commands block by design). */
export function consumerConnection(url: string, log: Log, silenceMs = REDIS_CONSUMER_SILENCE_MS) {
  return {
    ...{ url, maxRetriesPerRequest: null, connectTimeout: REDIS_COMMAND_MS },
    Connector: watchedConnector(silenceMs),
    reconnectOnError: createReplacement(log),
  } as const;
}

/**
 * Rejects while Redis refuses writes, which `PING` and every read do not show: the server has become a replica, has lost
 * its primary, or cannot save. A deletion, because a full Redis still takes one; nothing of that name is ever there.
 */
export async function probeWrite(redis: Redis): Promise<void> {
  await redis.del('tardigrade:write-probe');
}

/**
 * For ioredis: whether the connection must be replaced after an error. After a failover the server behind an open
 * connection is a replica that refuses every write, and the connection itself never breaks; the address leads to the
 * new primary only when it is dialled again. The command itself fails, as while Redis is away: whatever sent it tries
 * again. At most once in REDIS_REPLACE_EVERY_MS: while the address leads to a replica, dialling faster helps nobody.
 */
function createReplacement(log: Log): (this: unknown, error: Error) => boolean {
  const replacedAt = new WeakMap<object, number>(); // by connection: BullMQ makes several with the same options
  return function (error) {
    const connection = this as object; // ioredis calls it as a method of the connection's own copy of the options
    const since = performance.now() - (replacedAt.get(connection) ?? Number.NEGATIVE_INFINITY);
    if (!CANNOT_WORK.test(error.message) || since < REDIS_REPLACE_EVERY_MS) return false;
    replacedAt.set(connection, performance.now());
    log.warn({ err: error }, 'this Redis server cannot do its work; connecting again');
    return true;
  };
}

/** At the beginning of the answer, or, from a script in an older Redis, within it. */
const CANNOT_WORK = /^(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|UNBLOCKED) |-(?:READONLY|MASTERDOWN) /;

async function connected(redis: Redis, url: string): Promise<void> {
  const deadline = performance.now() + START_MS;
  let fault: Error | undefined;
  const hear = (error: Error) => {
    fault = error;
  };
  redis.on('error', hear);
  redis.connect().catch(() => undefined); // ioredis keeps retrying; the status shows the outcome
  while (redis.status !== 'ready') {
    if (performance.now() > deadline) {
      redis.disconnect();
      throw new StartError(notConnected(new URL(url).host, fault));
    }
    await new Promise((resolve) => setTimeout(resolve, REDIS_CONNECTED_POLL_MS));
  }
  redis.off('error', hear);
}

/** Why a start gives up. `fault`: the last thing that was said. */
export function notConnected(host: string, fault: Error | undefined): string {
  const said = fault === undefined ? '' : `: ${fault.message.replace(/\.$/, '')}`;
  return /^(?:WRONGPASS|NOAUTH|NOPERM) /.test(fault?.message ?? '')
    ? `Redis at ${host} does not let us in${said}. Are the user name and the password in REDIS_URL right?`
    : `Redis does not answer at ${host} within ${START_MS / 1000} s${said}. Is it running, and is REDIS_URL right?`;
}

/** ioredis goes on with the first database when the server does not have the one in the address. */
async function refuseOtherDatabase(redis: Redis): Promise<void> {
  const { db = 0 } = redis.options;
  if (db === 0 || redis.status !== 'ready') return;
  const fault = await redis.select(db).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (!/^ERR /.test(fault ?? '')) return;
  redis.disconnect();
  throw new StartError(`Redis has no database ${db}, which REDIS_URL ends with: ${fault}.`);
}
