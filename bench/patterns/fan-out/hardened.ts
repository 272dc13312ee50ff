import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { openConsumer, openQueue, type Turn } from '../../../src/queue/queues.ts';
import { type FanOut, type Parts, QUEUE } from './case.ts';

const TURN_RECIPIENTS = 200;

/** One job per broadcast, which takes turns with the others; PostgreSQL knows how far it has come, the queue only says "go on". */
export function openFanOut({ db, redis, redisUrl, log, deliver }: Parts): FanOut {
  const queue = openQueue(QUEUE, redis);
  const handle = ({ broadcast }: { broadcast: number }) =>
    db.transaction().execute((transaction) => takeTurn(transaction, broadcast, deliver));
  const consumer = openConsumer(QUEUE, redisUrl, handle, log);
  return {
    queue,
    async start(broadcast) {
      await queue.add('deliver', { broadcast }, { jobId: `broadcast-${broadcast}` });
    },
    close: consumer.close,
  };
}

/**
 * A process that dies in the middle repeats one turn at most. This delivery is quick, so the lock may be held meanwhile; a
 * slow one would need a lease per row instead.
 */
async function takeTurn(transaction: Db, broadcast: number, deliver: Parts['deliver']): Promise<Turn> {
  // The row lock lets two turns of the same broadcast follow each other; the second sees how far the first one came.
  const { rows: recipients } = await sql<{ id: number }>`
    with progress as (select delivered_to from broadcasts where id = ${broadcast} for update)
    select recipients.id from progress, recipients where recipients.id > progress.delivered_to
    order by recipients.id limit ${TURN_RECIPIENTS}`.execute(transaction);
  const last = recipients.at(-1);
  if (last === undefined) return 'finished';
  await deliver(recipients.map(({ id }) => id));
  await sql`update broadcasts set delivered_to = ${last.id} where id = ${broadcast}`.execute(transaction);
  return { againInMs: 0 };
}
