import { pid } from 'node:process';
import type { Redis } from 'ioredis';
import { createAskedStops } from '../../src/db/asked-stops.ts';
import { instancesOf, type Newcomer, refuseOneTooMany, refuseOverBudget } from '../../src/db/connection-budget.ts';
import { refuseWrongDatabase } from '../../src/db/migrate.ts';
import { type Database, openDatabase } from '../../src/db/read-write-split.ts';
import { refuseWrongReplica } from '../../src/db/server-version.ts';
import type { SharedCounts } from '../../src/flow/shared-counts.ts';
import { POOL_REPLICA, SHARED_COUNTS_MEMORY_SHARE } from '../../src/limits.ts';
import type { Process } from '../../src/process/run-process.ts';
import { type MemoryWatch, watchMemory } from '../../src/redis/memory-watch.ts';
import { publishReports, reportedBefore } from '../../src/redis/process-reports.ts';
import { openRedis, probeWrite } from '../../src/redis/redis.ts';
import { createSharedCounts } from '../../src/redis/shared-counts.ts';

/** Resources that several workers open. `all` opens each only once: opening a name again returns the same resource. */

export function useDatabase(process: Process): Promise<Database> {
  return process.open(
    'database',
    () => openChecked(process),
    (opened) => opened.close(),
  );
}

async function openChecked({ name, config, log, metrics, health }: Process): Promise<Database> {
  if (name === 'migrate') throw new Error('migrate must open the database as its owner, with openMigrationDatabase');
  const database = openDatabase({ config, name, log, metrics });
  try {
    await refuseWrongDatabase(database.server, config.databaseUrl);
    if (config.databaseReplicaUrl !== undefined && POOL_REPLICA[name] > 0)
      await refuseWrongReplica(database.server, config.databaseReplicaUrl, log);
    await refuseOverBudget(database, config.instances, config.databaseReplicaUrl !== undefined, log);
  } catch (error) {
    await database.close();
    throw error;
  }
  health.register('database', database.ping);
  return database;
}

/**
 * Opens Redis, and starts publishing this process's reports for the operations page. Only jobs need Redis: the others
 * start without it, and their readiness does not ask for it, or one Redis that is down would take all of them away.
 */
export async function useRedis(process: Process, { needed }: { needed: boolean }): Promise<Redis> {
  const redis = await process.open(
    'redis',
    () => openRedis(process.config.redisUrl, process.log, { wait: needed }),
    (opened) => opened.disconnect(),
  );
  const { metrics, config, log } = process;
  const database = await useDatabase(process);
  const reports = await process.open(
    'report',
    () =>
      publishReports(redis, {
        ...{ report: metrics.report, stops: createAskedStops(database), lastExit: config.lastExit, log },
      }),
    ({ stop }) => stop(!UNASKED.test(String(process.stopping.reason))),
  );
  await process.open(
    'place',
    async () => {
      await reports.first; // so that those that start at the same time see each other
      await refuseOneTooMany(database, newcomer(process, redis), log);
    },
    () => undefined,
  );
  return redis;
}

function newcomer({ name, config }: Process, redis: Redis): Newcomer {
  if (name === 'migrate') throw new Error('migrate reports to nobody');
  return {
    name,
    told: config.instances,
    async runningBefore() {
      const reports = await reportedBefore(redis, { name, pid }).catch(() => undefined);
      return reports && instancesOf(reports);
    },
  };
}

/** Reasons to stop that nobody gave: the process is then counted among those that died. */
const UNASKED = /^uncaught exception$/;

/** For a process that is of no use to anybody while Redis does not answer: the mailer, but not `all`, which serves people. */
export function registerRedisCheck({ name, health }: Process, redis: Redis): void {
  if (name === 'mailer') health.register('redis', () => probeWrite(redis));
}

/** A full Redis takes jobs no further, so a mailer is of no use then; `all` still serves people. */
export function useMemoryWatch({ name, open, log, metrics, health }: Process, redis: Redis): Promise<MemoryWatch> {
  return open(
    'redis memory',
    () => {
      const memory = watchMemory(redis, log);
      metrics.gauge('redis_memory_share', 'Memory of Redis that is used', () => Math.round(memory.share * 1e3) / 1e3);
      if (name === 'mailer') health.register('redis memory', memory.check);
      return memory;
    },
    ({ stop }) => stop(),
  );
}

/** For limits that hold for all processes together. */
export async function useSharedCounts(process: Process, redis: Redis): Promise<SharedCounts> {
  const memory = await useMemoryWatch(process, redis);
  const counts = createSharedCounts(redis, { isFull: () => memory.share > SHARED_COUNTS_MEMORY_SHARE });
  process.metrics.gauge(
    'rate_limits_alone',
    '1 while Redis does not answer, and limits are counted by each process',
    () => Number(counts.isAlone),
  );
  return counts;
}
