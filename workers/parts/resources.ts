import type { Redis } from 'ioredis';
import { refuseOverBudget } from '../../src/db/connection-budget.ts';
import { refuseWrongDatabase } from '../../src/db/migrate.ts';
import { type Database, openDatabase } from '../../src/db/read-write-split.ts';
import type { Process } from '../../src/process/run-process.ts';
import { publishReports } from '../../src/redis/process-reports.ts';
import { openRedis } from '../../src/redis/redis.ts';

/** What several workers open in the same way. `all` opens each once: a name that is open gives the same resource. */

export function useDatabase(process: Process): Promise<Database> {
  return process.open(
    'database',
    () => openChecked(process),
    (opened) => opened.close(),
  );
}

async function openChecked({ name, config, log, metrics, health }: Process): Promise<Database> {
  if (name === 'migrate') throw new Error('migrate opens the database as its owner, not as a process that serves');
  const database = openDatabase({ config, name, log, metrics });
  try {
    await refuseWrongDatabase(database.server, config.databaseUrl);
    await refuseOverBudget(database, config.instances, config.databaseReplicaUrl !== undefined, log);
  } catch (error) {
    await database.close();
    throw error;
  }
  health.register('database', database.ping);
  return database;
}

/** Redis, and the process's own report in it for the operations page. */
export async function useRedis(process: Process): Promise<Redis> {
  const redis = await process.open(
    'redis',
    () => openRedis(process.config.redisUrl, process.log),
    (opened) => opened.disconnect(),
  );
  await process.open(
    'report',
    () => {
      process.health.register('redis', () => redis.ping());
      return publishReports(redis, process.metrics.report);
    },
    (stop) => stop(),
  );
  return redis;
}
