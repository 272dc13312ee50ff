import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { freePort } from '../scripts/embedded/ports.ts';
import { type Config, loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import type { Module } from '../src/modules/faces.ts';
import { createShutdown } from '../src/process/graceful-shutdown.ts';
import { createProcess, type Process } from '../src/process/run-process.ts';
import type { ProcessName } from '../src/processes.ts';
import type { TestDatabase } from './database.ts';
import { TEST_MODULES } from './modules.ts';

export const SECRET_KEY = 'a secret key for tests, longer than 32 characters';

/** Of whoever signs in with `RunningApi.operator`. */
export const OPERATOR = 'operator@example.test';

export interface TestWorker {
  readonly config: Config;
  readonly process: Process;
  stop(): Promise<boolean>;
}

/** The environment of a worker on the test servers, on ports of its own. Redis: one numbered database per test runner. */
export async function testEnvironment(database: TestDatabase): Promise<Record<string, string>> {
  const [api, chat, mailer] = [await freePort(), await freePort(), await freePort()];
  return {
    DATABASE_URL: database.url,
    DATABASE_REPLICA_URL: database.replicaUrl,
    REDIS_URL: testRedisUrl(),
    SMTP_URL: inject('smtpUrl'),
    SECRET_KEY,
    API_PORT: String(api),
    CHAT_PORT: String(chat),
    MAILER_PORT: String(mailer),
    API_URL: `http://127.0.0.1:${api}`,
    CHAT_URL: `http://127.0.0.1:${chat}`,
    LOG_LEVEL: 'silent',
    OPERATORS: OPERATOR,
    LAME_DUCK_MS: '0', // nobody but a test waits for it
  };
}

export function testRedisUrl(): string {
  return `${inject('redisUrl')}/${Number(process.env['VITEST_POOL_ID'] ?? 1) % 16}`;
}

export async function emptyRedis(): Promise<void> {
  const redis = new Redis(testRedisUrl());
  await redis.flushdb();
  redis.disconnect();
}

/** Runs a worker's `start` inside the test, as it runs in a process of its own, but for signals and exit. */
export async function startWorker(
  name: ProcessName,
  start: (process: Process, modules: readonly Module[]) => Promise<void>,
  environment: Record<string, string>,
  modules = TEST_MODULES,
): Promise<TestWorker> {
  const config = loadConfig(environment);
  const log = createLog(name, config.logLevel);
  const shutdown = createShutdown(log);
  const worker = createProcess(name, config, log, shutdown, () => void shutdown.stop('done'));
  try {
    await start(worker, modules);
  } catch (error) {
    await shutdown.stop('start failed');
    throw error;
  }
  return { config, process: worker, stop: () => shutdown.stop('test ends') };
}
