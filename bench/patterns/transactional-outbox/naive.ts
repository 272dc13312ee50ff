import { sql } from 'kysely';
import { openBenchPool } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import { ORG_ID, type Shop } from './case.ts';

/** First the commit, so that no job runs for an order that rolls back; then the queue. In between the process can die. */
export function openShop({ databaseUrl }: Servers, enqueue: (order: number) => Promise<void>): Shop {
  const { unscoped: db, close } = openBenchPool(databaseUrl, 5);
  return {
    async place(order, { mayFail, mayDie }) {
      await db.transaction().execute(async (transaction) => {
        await sql`insert into orders (org_id, id) values (${ORG_ID}, ${order})`.execute(transaction);
        mayFail();
      });
      mayDie();
      await enqueue(order);
    },
    settle: async () => undefined,
    close,
  };
}
