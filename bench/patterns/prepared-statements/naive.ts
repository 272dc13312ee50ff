import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import type { Schema } from '../../../src/db/schema.ts';
import { BENCH_APPLICATION } from '../bench-pool.ts';
import { CONNECTIONS, type Orders } from './case.ts';
import { orderById } from './order.ts';

/** kysely and pg as they come: each call builds the text again and sends it without a name, to be parsed and planned again. */
export function openOrders(url: string): Orders {
  const pool = new Pool({ connectionString: url, application_name: BENCH_APPLICATION, max: CONNECTIONS });
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return {
    db,
    byId: (id) => orderById(db, { id }).execute(),
    close: () => pool.end(),
  };
}
