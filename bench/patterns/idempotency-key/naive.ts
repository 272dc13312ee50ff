import { sql } from 'kysely';
import { openBenchPool } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import { ORG, type PlaceOrder } from './case.ts';

/** Is there an answer to this key? Otherwise the order is placed, and its answer kept for the next time. */
export function openOrders({ workerDatabaseUrl }: Servers): { place: PlaceOrder; close(): Promise<unknown> } {
  const { within, close } = openBenchPool(workerDatabaseUrl, 5);
  const db = within({ scope: ORG });
  return {
    async place(key, text) {
      const { rows } = await sql<{ body: string }>`select body from answers where key = ${key}`.execute(db);
      if (rows[0] !== undefined) return rows[0].body;
      await sql`insert into orders (org_id, text) values (${ORG}, ${text})`.execute(db);
      await sql`insert into answers (key, body) values (${key}, ${text}) on conflict do nothing`.execute(db);
      return text;
    },
    close,
  };
}
