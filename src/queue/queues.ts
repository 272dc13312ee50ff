import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, type JobsOptions, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { AppError } from '../errors.ts';
import {
  JOB_EVENTS_KEPT,
  JOB_LOCK_MS,
  JOB_STALLED_CHECK_MS,
  JOB_STALLED_MAX,
  JOBS_AT_ONCE,
  QUEUE_CLOSE_MS,
  REDIS_CONSUMER_SILENCE_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import type { MemoryWatch } from '../redis/memory-watch.ts';
import { consumerConnection } from '../redis/redis.ts';
import { currentTraceparent, inSpan, withinTrace } from '../trace.ts';

/**
 * The producer's side. Payloads contain ids only: personal data does not belong in Redis. Completed jobs are removed
 * and the event stream is capped: by default BullMQ keeps them all, and a full Redis stops everything while its health
 * checks stay green. Failed jobs are removed too: a job that is kept keeps its id, and could not be enqueued again.
 */
export function openQueue(name: string, redis: Redis, memory?: Pick<MemoryWatch, 'isNearlyFull'>): Queue {
  const queue = new Queue(name, {
    connection: redis,
    // Asked for when the queue opens. If Redis answers too late, BullMQ fails every later job with that first error as well.
    skipVersionCheck: true,
    streams: { events: { maxLen: JOB_EVENTS_KEPT } },
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  // The connection's own errors, which are in the log. Without a listener BullMQ prints each to the standard error, with the
  // password when that was refused.
  queue.on('error', () => undefined);
  const [add, addBulk] = [queue.add.bind(queue), queue.addBulk.bind(queue)];
  const refuseIfFull = () => {
    if (memory?.isNearlyFull !== true) return;
    // Whoever adds a job must keep what it is about until it is added: the outbox does, and a sweep finds it again.
    throw new AppError('overloaded', 'Redis is nearly full: nothing more is queued until it has room.');
  };
  return Object.assign(queue, {
    async add(job: string, data: unknown, options?: JobsOptions) {
      refuseIfFull();
      return add(job, data, { ...options, ...withTrace() });
    },
    async addBulk(jobs: Parameters<typeof addBulk>[0]) {
      refuseIfFull();
      return addBulk(jobs.map((job) => ({ ...job, opts: { ...job.opts, ...withTrace() } })));
    },
  });
}

/** Where BullMQ's own telemetry has it. */
function withTrace(): { telemetry?: { metadata: string } } {
  const metadata = currentTraceparent();
  return metadata === undefined ? {} : { telemetry: { metadata } };
}

/** What a handler returns: the job is finished, or is to run again after a delay, behind the other waiting jobs. */
export type Turn = 'finished' | { readonly againInMs: number };

/**
 * A queue's handler. It must keep its state in PostgreSQL, because it can be run again from the start at any time.
 * `keep`: work that goes on after the turn, and that a stop waits for; it never rejects.
 */
// biome-ignore lint/suspicious/noExplicitAny: each queue has its own payload type, which only its module knows
export type ConsumerOf<T = any> = (data: T, signal: AbortSignal, keep: (work: Promise<void>) => void) => Promise<Turn>;

/** Whether a turn was aborted because another consumer has its job: what it has begun goes on, but nothing new begins. */
export function isLockLost(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason === LOCK_LOST;
}

const LOCK_LOST = 'another consumer has the job';

/**
 * The consumer's side. A job whose process died is picked up again after JOB_LOCK_MS.
 *
 * Locks are renewed here and not by BullMQ, which keeps its list of them by job and not by turn: a job that asks for
 * another turn can begin it on the same worker before the end of the last one is noted, which then takes it off the
 * list. Its lock ran out after JOB_LOCK_MS, and if the turn took longer a second one began beside it.
 */
export function openConsumer<T>(
  name: string,
  redisUrl: string,
  handle: ConsumerOf<T>,
  log: Log,
  { lockMs = JOB_LOCK_MS, stalledCheckMs = JOB_STALLED_CHECK_MS, silenceMs = REDIS_CONSUMER_SILENCE_MS } = {},
) {
  const stopping = new AbortController();
  const turns = new Set<Promise<unknown>>();
  const keep = (work: Promise<void>) => {
    turns.add(work);
    void work.finally(() => turns.delete(work));
  };
  const worker = new Worker<T>(
    name,
    async (job, token = '') => {
      const lost = new AbortController();
      const renewal = setInterval(async () => {
        // Redis may be away for a moment: only an answer says that the lock is gone.
        const renewed = await job.extendLock(token, lockMs).catch(() => undefined);
        if (renewed === 0) lost.abort(LOCK_LOST);
      }, lockMs / 4);
      try {
        const signal = AbortSignal.any([stopping.signal, lost.signal]);
        const start = { name: `job of ${name}`, kind: 'consumer' } as const;
        const running = withinTrace(job.opts.telemetry?.metadata, () =>
          inSpan(start, () => handle(job.data, signal, keep)),
        );
        turns.add(running);
        const turn = await running.finally(() => turns.delete(running));
        if (lost.signal.aborted) throw new DelayedError(); // leaves the job to whoever has it
        if (turn === 'finished') return;
        await job.moveToDelayed(Date.now() + turn.againInMs, token);
        throw new DelayedError();
      } finally {
        clearInterval(renewal);
      }
    },
    {
      connection: consumerConnection(redisUrl, log, silenceMs),
      concurrency: JOBS_AT_ONCE,
      lockDuration: lockMs,
      skipLockRenewal: true,
      stalledInterval: stalledCheckMs,
      maxStalledCount: JOB_STALLED_MAX,
    },
  );
  worker.on('error', (error) => log.warn({ queue: name, err: error }, 'queue consumer error'));
  worker.on('failed', (job, error) => log.error({ queue: name, jobId: job?.id, err: error }, 'job failed'));
  return {
    /** Takes no new jobs and stops the running ones at their next pause. */
    async close() {
      stopping.abort();
      const closed = worker.close(); // takes no new jobs from here on
      while (turns.size > 0) await Promise.allSettled(turns);
      // Our work is done and stored. If Redis has restarted meanwhile, BullMQ can wait for its connections for longer
      // than a shutdown is allowed to take: they end with the process.
      await Promise.race([closed, sleep(QUEUE_CLOSE_MS, undefined, { ref: false })]);
    },
  };
}
