import { sql } from 'kysely';
import { openBenchPool } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import { ORG_ID, type Shop } from './case.ts';

export const name = 'naive';

/** After the commit everybody is told; nobody waits for that, so the customer is not kept waiting either. */
export function openShop({ databaseUrl }: Servers, endpoints: readonly string[]): Shop {
  const { unscoped: db } = openBenchPool(databaseUrl, 5);
  return {
    async place(order) {
      await sql`insert into orders (org_id, id) values (${ORG_ID}, ${order})`.execute(db);
      const headers = { 'content-type': 'application/json' };
      for (const url of endpoints)
        void fetch(url, { method: 'POST', headers, body: JSON.stringify({ order }) }).catch(() => undefined);
    },
  };
}
