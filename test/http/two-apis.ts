import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/embedded/ports.ts';
import { createRedis, type Redis } from '../../scripts/embedded/redis.ts';
import { start } from '../../workers/api.ts';
import { type Answer, call } from '../api-client.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { command } from '../two-redis-servers.ts';
import { startWorker, testEnvironment } from '../worker.ts';

export interface TwoApis {
  readonly api: RunningApi;
  /** The one that both count in. */
  readonly redis: Redis;
  /** Nobody has been counted yet. */
  forgetCounts(): Promise<void>;
  /** Through one process and the other in turn, `atOnce` at a time. */
  inTurn<T>(times: number, ask: (url: string, nth: number) => Promise<T>, atOnce?: number): Promise<T[]>;
  stop(): Promise<void>;
}

/** Two processes of the api with one database, and a Redis of their own that the test may take away. */
export async function startTwoApis(change: Record<string, string> = {}): Promise<TwoApis> {
  const folder = mkdtempSync(join(tmpdir(), 'tardigrade-limits-'));
  const redis = await createRedis({ folder, port: await freePort(), password: 'limits', durable: false });
  const environment = { REDIS_URL: redis.url, TRUST_PROXY_HOPS: '1', ...change };
  const api = await runApi(environment);
  const second = await startWorker('api', start, { ...(await testEnvironment(api.database)), ...environment });
  const urls = [api.url, second.config.apiUrl];
  return {
    api,
    redis,
    forgetCounts: async () => void (await command(redis, 'flushall')),
    async inTurn(times, ask, atOnce = 1) {
      const answers = [];
      for (let begun = 0; begun < times; begun += atOnce) {
        const some = Array.from({ length: Math.min(atOnce, times - begun) }, (_, n) => begun + n);
        answers.push(...(await Promise.all(some.map((nth) => ask(urls[nth % 2] as string, nth)))));
      }
      return answers;
    },
    async stop() {
      await second.stop();
      await api.stop();
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function guess(url: string, from: string, email = 'nobody@limits.test'): Promise<Answer<unknown>> {
  return call(url, 'POST', '/api/v1/sessions', {
    headers: { 'x-forwarded-for': from },
    body: { email, password: 'a wrong password' },
  });
}

export function statusesOf(answers: readonly { status: number }[]): number[] {
  return answers.map(({ status }) => status);
}
