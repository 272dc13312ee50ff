import { sql } from 'kysely';
import { openConsumer, openQueue } from '../../../src/queue/queues.ts';
import { type FanOut, type Parts, QUEUE } from './case.ts';

/** One job per recipient: the queue is the only record of the recipients still to be served. */
export function openFanOut({ db, redis, redisUrl, log, deliver }: Parts): FanOut {
  const queue = openQueue(QUEUE, redis);
  const handle = async ({ recipient }: { recipient: number }) => {
    await deliver([recipient]);
    return 'finished' as const;
  };
  const consumer = openConsumer(QUEUE, redisUrl, handle, log);
  return {
    queue,
    async start(broadcast) {
      const { rows } = await sql<{ id: number }>`select id from recipients order by id`.execute(db);
      await queue.addBulk(
        rows.map(({ id }) => ({ name: 'deliver', data: { recipient: id }, opts: { jobId: `${broadcast}-to-${id}` } })),
      );
    },
    close: consumer.close,
  };
}
