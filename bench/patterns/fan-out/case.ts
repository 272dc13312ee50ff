import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Db } from '../../../src/db/database.ts';
import { POOL_PRIMARY } from '../../../src/limits.ts';
import type { Log } from '../../../src/log.ts';
import { openRedis } from '../../../src/redis/redis.ts';
import { BENCH_LOG, openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

export interface Parts {
  readonly db: Db;
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly log: Log;
  deliver(recipients: readonly number[]): Promise<void>;
}

export interface FanOut {
  readonly queue: Queue;
  /** Also for a broadcast that was started before: whatever is left of it is put back to work. */
  start(broadcast: number): Promise<void>;
  close(): Promise<void>;
}

type Twin = { openFanOut(parts: Parts): FanOut };
type Input = { readonly recipients: number; readonly losesQueue: boolean };

export const QUEUE = 'pattern-fan-out';

const RECIPIENTS = 20_000;
const BROADCAST = 1;
const POLL_MS = 10;
const PROGRESS_MS = 30_000;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/queue/queues.ts',
  withoutIt: 'a queue that loses its jobs leaves recipients out, or serves them twice',
  asks: `Deliver to ${RECIPIENTS} recipients; halfway through, Redis loses the queue, and the broadcast is started again.`,
  breaks: 'recipients are served twice, or not at all',
  holds: 'every recipient is served exactly once',
  headline: ({ twice = 0 }) => `${twice.toLocaleString('en')} recipients served twice`,
  small: { recipients: 500, losesQueue: false },
  full: { recipients: RECIPIENTS, losesQueue: true },

  arrange: ({ databaseUrl }, { recipients }) =>
    runSql(
      databaseUrl,
      `insert into broadcasts (id) values (${BROADCAST});
       insert into recipients select n from generate_series(1, ${recipients}) n;
       analyze`,
    ),

  async perform({ openFanOut }, { recipients, losesQueue }, { databaseUrl, redisUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, POOL_PRIMARY.all);
    const redis = await openRedis(redisUrl, BENCH_LOG);
    const deliveries = new Map<number, number>();
    const deliver = async (served: readonly number[]) => {
      for (const id of served) deliveries.set(id, (deliveries.get(id) ?? 0) + 1);
    };
    const fanOut = openFanOut({ db, redis, redisUrl, log: BENCH_LOG, deliver });
    const { queue } = fanOut;
    await queue.obliterate({ force: true }); // a run that was killed may have left jobs behind

    const begun = performance.now();
    await fanOut.start(BROADCAST);
    const jobs = await jobsIn(queue);
    if (losesQueue) {
      await until('half are served', () => deliveries.size >= recipients / 2);
      await queue.obliterate({ force: true });
      await fanOut.start(BROADCAST);
    }
    await until('all jobs are done', async () => (await jobsIn(queue)) === 0);
    const seconds = (performance.now() - begun) / 1000;

    await fanOut.close();
    await queue.close();
    redis.disconnect();
    await close();
    const served = [...deliveries].toSorted(([a], [b]) => a - b);
    const twice = served.filter(([, times]) => times > 1).length;
    const digest = createHash('sha256').update(JSON.stringify(served)).digest('hex');
    return { digest, figures: { served: served.length, twice, missed: recipients - served.length, jobs, seconds } };
  },

  isBroken: ({ figures }) => (figures.twice ?? 0) + (figures.missed ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && figures.served === RECIPIENTS && figures.twice === 0 && figures.missed === 0,
};

async function jobsIn(queue: Queue): Promise<number> {
  const counts = await queue.getJobCounts('wait', 'active', 'delayed');
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PROGRESS_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Not within ${PROGRESS_MS} ms: ${what}`);
    await sleep(POLL_MS);
  }
}
