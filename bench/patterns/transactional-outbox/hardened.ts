import { sql } from 'kysely';
import { openDatabase } from '../../../src/db/read-write-split.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { relayOutbox, writeToOutbox } from '../../../src/queue/transactional-outbox.ts';
import { BENCH_LOG } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import { ORG_ID, type Shop } from './case.ts';

declare module '../../../src/queue/transactional-outbox.ts' {
  interface Topics {
    'order.placed': { readonly order: number };
  }
}

/** The order and its event commit together; the relay, of this process or of the next, brings events to the queue. */
export function openShop({ workerDatabaseUrl }: Servers, enqueue: (order: number) => Promise<void>): Shop {
  const database = openDatabase({
    config: { databaseUrl: workerDatabaseUrl, databaseReplicaUrl: undefined },
    name: 'api',
    log: BENCH_LOG,
    metrics: createMetrics('bench'),
  });
  return {
    async place(order, { mayFail, mayDie }) {
      await database.transact(ORG_ID, async (transaction) => {
        await sql`insert into orders (org_id, id) values (${ORG_ID}, ${order})`.execute(transaction);
        await writeToOutbox(transaction, { orgId: ORG_ID, topic: 'order.placed', payload: { order } });
        mayFail();
      });
      mayDie();
    },
    async settle() {
      const deliver = () =>
        relayOutbox(
          database,
          {
            'order.placed': async (events) =>
              void (await Promise.all(events.map(({ payload }) => enqueue(payload.order)))),
          },
          BENCH_LOG,
        );
      while ((await deliver()) > 0);
    },
    close: database.close,
  };
}
