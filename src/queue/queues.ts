import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import {
  JOB_EVENTS_KEPT,
  JOB_LOCK_MS,
  JOB_STALLED_CHECK_MS,
  JOB_STALLED_MAX,
  JOBS_AT_ONCE,
  QUEUE_CLOSE_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import { consumerConnection } from '../redis/redis.ts';

/**
 * The producer's side. A payload holds ids only: Redis is not the place for people's data. Ended jobs are dropped and
 * the event stream is capped: by default BullMQ keeps them all, and a full Redis stops everything while its health
 * checks stay green. Failed ones too: a job that is kept keeps its id, and the sweep could not put it in line again.
 */
export function openQueue(name: string, redis: Redis): Queue {
  return new Queue(name, {
    connection: redis,
    streams: { events: { maxLen: JOB_EVENTS_KEPT } },
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
}

/** What a handler says about its job: finished, or to be taken up again after a while, behind the others in line. */
export type Turn = 'finished' | { readonly againInMs: number };

/** A queue's handler. It leaves its state in PostgreSQL: it may run again from the start at any time. */
// biome-ignore lint/suspicious/noExplicitAny: each queue has a payload of its own, which only its module knows
export type ConsumerOf<T = any> = (data: T, signal: AbortSignal) => Promise<Turn>;

/**
 * The consumer's side. A job whose process died is taken up again after JOB_LOCK_MS.
 */
export function openConsumer<T>(name: string, redisUrl: string, handle: ConsumerOf<T>, log: Log) {
  const controller = new AbortController();
  const turns = new Set<Promise<Turn>>();
  const worker = new Worker<T>(
    name,
    async (job, token) => {
      const running = handle(job.data, controller.signal);
      turns.add(running);
      const turn = await running.finally(() => turns.delete(running));
      if (turn === 'finished') return;
      await job.moveToDelayed(Date.now() + turn.againInMs, token);
      throw new DelayedError();
    },
    {
      connection: consumerConnection(redisUrl),
      concurrency: JOBS_AT_ONCE,
      lockDuration: JOB_LOCK_MS,
      stalledInterval: JOB_STALLED_CHECK_MS,
      maxStalledCount: JOB_STALLED_MAX,
    },
  );
  worker.on('error', (error) => log.warn({ queue: name, err: error }, 'queue consumer'));
  worker.on('failed', (job, error) => log.error({ queue: name, jobId: job?.id, err: error }, 'job failed'));
  return {
    /** Ends the turns that run, at their next pause, and takes no new ones. */
    async close() {
      controller.abort();
      const closed = worker.close(); // takes no new turns from here on
      await Promise.allSettled(turns);
      // Our work is done and written down. If Redis died and came back meanwhile, BullMQ may wait for its connections for
      // longer than a stop may take: they end with the process.
      await Promise.race([closed, sleep(QUEUE_CLOSE_MS, undefined, { ref: false })]);
    },
  };
}
